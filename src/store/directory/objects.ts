import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { validate } from '../../api/kinds/validate.ts'
import { apiVersion, idFrom, idOf, isDeleting, type Kind, type Metadata, type Resource } from '../../api/resource.ts'
import type { Problem } from '../../api/schema/problem.ts'
import { timestamp } from '../../api/timestamp.ts'
import { type Change, type FieldManager, finalizer } from '../store.ts'
import type { Identity } from './identity.ts'
import { mergeStatuses } from './merge-status.ts'

/** A resource as a manifest wants it: validated, with defaults. */
export type Wanted = {
  readonly kind: Kind
  readonly identity: Identity
  readonly spec: Resource['spec']
}

type Status = Readonly<Record<string, unknown>>

type Entry = {
  readonly kind: Kind
  resource: Resource
  readonly statuses: Map<FieldManager, Status>
  /** The resource to create once this one, which is being deleted, is gone. */
  successor?: Wanted
}

/** The order in which statuses are merged. */
const managers: readonly FieldManager[] = ['waybill-operator', 'waybill-dispatcher', 'waybill-dead-letters']

/**
 * Resources with the semantics of the Kubernetes API server: identity by uid, versions, generations that count changes
 * of the spec, immutable fields, finalizers, and statuses that managers own field by field. `announce` is called
 * after each change.
 */
export const createObjects = (now: () => Date, announce: (change: Change) => void) => {
  const entries = new Map<string, Entry>()
  const lists = new Map<string, readonly Resource[]>()
  let version = 0

  const nextVersion = (): string => String(++version)
  const timestampNow = (): string => timestamp(now().getTime())

  const changed = ({ kind, metadata: { namespace, name } }: Resource): void => {
    lists.delete(kind)
    announce({ kind, namespace, name })
  }

  const replace = (entry: Entry, resource: Resource): void => {
    const metadata = { ...resource.metadata, resourceVersion: nextVersion() }
    entry.resource = { ...resource, metadata }
    changed(entry.resource)
  }

  const create = (wanted: Wanted): void => {
    const resource = newResource(wanted, nextVersion(), timestampNow())
    entries.set(idOf(resource), { kind: wanted.kind, resource, statuses: new Map() })
    changed(resource)
  }

  const update = (entry: Entry, wanted: Wanted): readonly Problem[] => {
    const updated = updatedBy(entry.resource, wanted)
    if ('problems' in updated) return updated.problems
    if (updated.resource !== entry.resource) replace(entry, updated.resource)
    return []
  }

  const drop = (entry: Entry): void => {
    entries.delete(idOf(entry.resource))
    changed(entry.resource)
    if (entry.successor) create(entry.successor)
  }

  /** The entry of this very object, not of a later one with the same name. */
  const entryOf = (resource: Resource): Entry | undefined => {
    const entry = entries.get(idOf(resource))
    return entry?.resource.metadata.uid === resource.metadata.uid ? entry : undefined
  }

  return {
    ids: (): readonly string[] => [...entries.keys()],

    get: (kind: Kind, namespace: string, name: string): Resource | undefined =>
      entries.get(idFrom(kind.kind, namespace, name))?.resource,

    list(kind: Kind): readonly Resource[] {
      const known = lists.get(kind.kind)
      if (known) return known
      const fresh = [...entries.values()].filter((entry) => entry.kind === kind).map(({ resource }) => resource)
      lists.set(kind.kind, fresh)
      return fresh
    },

    /** Creates or updates. An update with problems returns these and changes nothing. */
    put(wanted: Wanted): readonly Problem[] {
      const entry = entries.get(idFrom(wanted.kind.kind, wanted.identity.namespace, wanted.identity.name))
      if (entry === undefined) create(wanted)
      else if (isDeleting(entry.resource)) entry.successor = wanted
      else return update(entry, wanted)
      return []
    },

    /** Deletes at once, or marks as being deleted where there is a finalizer. */
    remove(id: string): void {
      const entry = entries.get(id)
      if (entry === undefined) return
      delete entry.successor
      const { metadata } = entry.resource
      if (!metadata.finalizers?.length) drop(entry)
      else if (!isDeleting(entry.resource)) {
        replace(entry, { ...entry.resource, metadata: { ...metadata, deletionTimestamp: timestampNow() } })
      }
    },

    setFinalizer(resource: Resource, present: boolean): void {
      const entry = entryOf(resource)
      if (entry === undefined) return
      const next = withFinalizer(entry.resource, present)
      if (next === entry.resource) return
      if (isDeleting(next) && !next.metadata.finalizers?.length) drop(entry)
      else replace(entry, next)
    },

    applyStatus(resource: Resource, manager: FieldManager, status: Status): void {
      const entry = entryOf(resource)
      if (entry === undefined) return
      // As it would arrive over the network: no undefined, nothing shared with the caller.
      const applied: Status = JSON.parse(JSON.stringify(status))
      entry.statuses.set(manager, applied)
      // Where two of them set the same field, the latest wins.
      const merged = mergeStatuses([...managers.map((one) => entry.statuses.get(one) ?? {}), applied])
      if (isDeepStrictEqual(merged, entry.resource.status ?? {})) return
      replace(entry, { ...entry.resource, status: merged as NonNullable<Resource['status']> })
    },
  }
}

/** The objects of a directory store. */
export type Objects = ReturnType<typeof createObjects>

const newResource = ({ kind, identity, spec }: Wanted, resourceVersion: string, timestamp: string): Resource => {
  const metadata: Metadata = {
    name: identity.name,
    namespace: identity.namespace,
    uid: randomUUID(),
    generation: 1,
    resourceVersion,
    creationTimestamp: timestamp,
    ...described(identity),
  }
  return { apiVersion, kind: kind.kind, metadata, spec }
}

/** The resource as a manifest wants it: the very same where nothing changed, or why the change is refused. */
const updatedBy = (
  resource: Resource,
  { kind, identity, spec }: Wanted,
): { readonly resource: Resource } | { readonly problems: readonly Problem[] } => {
  const { labels: _labels, annotations: _annotations, ...kept } = resource.metadata
  const metadata: Metadata = { ...kept, ...described(identity) }
  const sameSpec = isDeepStrictEqual(resource.spec, spec)
  if (sameSpec && isDeepStrictEqual(resource.metadata, metadata)) return { resource }
  if (!sameSpec) {
    const validated = validate(kind, { apiVersion, kind: kind.kind, spec }, resource.spec)
    if ('problems' in validated) return validated
  }
  const generation = metadata.generation + (sameSpec ? 0 : 1)
  return { resource: { ...resource, metadata: { ...metadata, generation }, spec } }
}

/** The resource with or without Waybill's finalizer: the very same where nothing changes. */
const withFinalizer = (resource: Resource, present: boolean): Resource => {
  const { finalizers: before = [], ...metadata } = resource.metadata
  // The API server refuses finalizers that are added to an object that is being deleted.
  if (before.includes(finalizer) === present || (present && isDeleting(resource))) return resource
  const finalizers = present ? [...before, finalizer] : before.filter((one) => one !== finalizer)
  return { ...resource, metadata: { ...metadata, ...(finalizers.length > 0 ? { finalizers } : {}) } }
}

const described = ({ labels, annotations }: Identity) => ({
  ...(Object.keys(labels).length > 0 ? { labels } : {}),
  ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
})
