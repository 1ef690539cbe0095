import { kindOf } from '../../api/kinds/kinds.ts'
import { validate } from '../../api/kinds/validate.ts'
import { idOf, type Kind, type Resource } from '../../api/resource.ts'
import type { Problem } from '../../api/schema/problem.ts'
import type { Store } from '../store.ts'
import { identify, type Manifest } from './identity.ts'
import type { Objects } from './objects.ts'

/** Changes of resources that are in no file, and last as long as the process. A file alone says what is in it. */
export type Edits = Pick<Store, 'remove'> & {
  create(kind: Kind, manifest: Manifest): Resource | readonly Problem[]
  /** Sets fields of the specification. */
  patch(kind: Kind, namespace: string, name: string, spec: Readonly<Record<string, unknown>>): readonly Problem[]
  /** Deletes it. */
  withdraw(kind: Kind, namespace: string, name: string): readonly Problem[]
}

export const createEdits = (objects: Objects, homeOf: (id: string) => string | undefined): Edits => {
  const editable = (kind: Kind, namespace: string, name: string): Resource | readonly Problem[] => {
    const found = objects.get(kind, namespace, name)
    if (found === undefined) return [{ field: 'metadata.name', value: name, message: 'does not exist' }]
    const file = homeOf(idOf(found))
    if (file === undefined) return found
    return [{ field: 'metadata.name', value: name, message: `is in ${file}: change it there` }]
  }
  return {
    create: (kind, manifest) => created(objects, kind, manifest),
    patch(kind, namespace, name, spec) {
      const found = editable(kind, namespace, name)
      return 'metadata' in found ? patched(objects, kind, found, spec) : found
    },
    withdraw(kind, namespace, name) {
      const found = editable(kind, namespace, name)
      if (!('metadata' in found)) return found
      objects.remove(idOf(found))
      return []
    },
    async remove(_kind, resource) {
      const id = idOf(resource)
      const { namespace, name, uid } = resource.metadata
      const found = homeOf(id) === undefined ? objects.get(kindOf(resource), namespace, name) : undefined
      if (found?.metadata.uid === uid) objects.remove(id)
    },
  }
}

const created = (objects: Objects, kind: Kind, manifest: Manifest): Resource | readonly Problem[] => {
  const identity = identify(kind.kind, manifest)
  if (!('name' in identity)) return identity
  const { namespace, name } = identity
  if (objects.get(kind, namespace, name)) return [{ field: 'metadata.name', value: name, message: 'exists already' }]
  const validated = validate(kind, manifest)
  if ('problems' in validated) return validated.problems
  objects.put({ kind, identity, spec: validated.spec as Resource['spec'] })
  return objects.get(kind, namespace, name) ?? []
}

const patched = (
  objects: Objects,
  kind: Kind,
  { apiVersion, metadata, spec }: Resource,
  fields: Readonly<Record<string, unknown>>,
): readonly Problem[] => {
  const validated = validate(kind, { apiVersion, kind: kind.kind, spec: { ...spec, ...fields } }, spec)
  if ('problems' in validated) return validated.problems
  const { namespace, name, labels = {}, annotations = {} } = metadata
  const identity = { kind: kind.kind, namespace, name, labels, annotations }
  return objects.put({ kind, identity, spec: validated.spec as Resource['spec'] })
}
