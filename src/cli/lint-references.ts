import { idFrom, idOf, type Resource } from '../api/resource.ts'
import type { Finding } from '../store/directory/finding.ts'
import { namespaceLabels } from '../store/directory/identity.ts'
import { createObjects } from '../store/directory/objects.ts'
import type { Item } from '../store/directory/parse.ts'
import { gather } from '../store/gather.ts'
import type { Store } from '../store/store.ts'
import { problemsOf } from '../topology/problems.ts'

/**
 * Problems among resources that are each valid alone. A reference to a resource that has a problem itself is left out: fixing
 * the one fixes the other.
 */
export const referenceFindings = (items: readonly Item[], instance: string): readonly Finding[] => {
  const objects = createObjects(
    () => new Date(0),
    () => {},
  )
  for (const { content, identity } of items) {
    if (content.is === 'resource') objects.put({ kind: content.kind, identity, spec: content.spec })
  }
  const namespaces = new Map(
    items.flatMap(({ content, identity }) => (content.is === 'namespace' ? [[identity.name, identity.labels]] : [])),
  )
  const labelsOf = (name: string) => namespaceLabels(name, namespaces.get(name))
  const byId = new Map(items.map((item) => [item.id, item]))
  const faulty = new Set(items.filter(({ content }) => content.is === 'refused').map(({ id }) => id))
  // Problems of topics come before those of the subscriptions that refer to them.
  return problemsOf(gather({ list: objects.list as Store['list'] }), instance, labelsOf).flatMap(
    ({ resource, problem }) => {
      const id = idOf(resource)
      const item = byId.get(id)
      const target = targetOf(resource, problem.field)
      const follows = target !== undefined && faulty.has(target)
      if (target !== undefined) faulty.add(id)
      return item === undefined || follows
        ? []
        : [{ file: item.file, line: item.lineOf(problem.field), resource: id, problem }]
    },
  )
}

/** What the reference in a field such as `spec.bindings[0].topicRef` names. */
const targetOf = (resource: Resource, field: string): string | undefined => {
  const [key = '', ...rest] = field.split(/[.[\]]+/).toReversed()
  if (!key.endsWith('Ref')) return undefined
  let value: unknown = resource
  for (const step of [...rest.toReversed(), key]) value = (value as Record<string, unknown> | undefined)?.[step]
  const { name, namespace = resource.metadata.namespace } = (value ?? {}) as { name?: string; namespace?: string }
  return idFrom(`${key.charAt(0).toUpperCase()}${key.slice(1, -'Ref'.length)}`, namespace, String(name))
}
