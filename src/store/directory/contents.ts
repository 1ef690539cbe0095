import { isDeepStrictEqual } from 'node:util'
import { identifiedBy, idFrom } from '../../api/resource.ts'
import type { Change, SecretData } from '../store.ts'
import type { Finding } from './finding.ts'
import { namespaceLabels } from './identity.ts'
import type { Loaded } from './load.ts'
import type { Objects } from './objects.ts'

/** What the files define: resources as `objects`, Secrets and Namespaces. `announce` is called after each change of the last two. */
export const createContents = (objects: Objects, announce: (change: Change) => void) => {
  const secrets = new Map<string, SecretData>()
  const labels = new Map<string, Readonly<Record<string, string>>>()
  /** The file of each resource, Secret and Namespace, by id. */
  const homes = new Map<string, string>()
  const reading = createReading()

  /** Ids of what the files no longer define. */
  const goneIn = ({ items, isUncertain }: Loaded): readonly string[] => {
    const present = new Set(items.map(({ id }) => id))
    return [...homes].filter(([id, file]) => !present.has(id) && !isUncertain(file)).map(([id]) => id)
  }

  return {
    goneIn,

    /** The file that a resource is in, where it is in one. */
    homeOf: (id: string): string | undefined => homes.get(id),

    /** Whether the files define it, valid or not, or may, as long as one of them could never be read. */
    mayDefine: (id: string): boolean => reading.isUnknown() || homes.has(id),

    /** Makes the contents equal to the files; returns the updates that were refused. */
    put(loaded: Loaded): readonly Finding[] {
      const refused: Finding[] = []
      reading.saw(loaded)
      for (const { id, identity, content, file, lineOf } of loaded.items) {
        homes.set(id, file)
        if (content.is === 'secret' && !isDeepStrictEqual(secrets.get(id), content.data)) {
          secrets.set(id, content.data)
          announce({ kind: 'Secret', namespace: identity.namespace, name: identity.name })
        }
        if (content.is === 'namespace' && !isDeepStrictEqual(labels.get(identity.name), identity.labels)) {
          labels.set(identity.name, identity.labels)
          announce({ kind: 'Namespace', namespace: identity.name, name: identity.name })
        }
        if (content.is === 'resource') {
          for (const problem of objects.put({ kind: content.kind, identity, spec: content.spec })) {
            refused.push({ file, line: lineOf(problem.field), resource: id, problem })
          }
        }
      }
      for (const id of goneIn(loaded)) {
        homes.delete(id)
        objects.remove(id)
        const [kind, namespace, name] = identifiedBy(id)
        if (kind === 'Namespace' && labels.delete(name)) announce({ kind, namespace, name })
        if (secrets.delete(id)) announce({ kind: 'Secret', namespace, name })
      }
      return refused
    },

    labelsOf: (namespace: string): Readonly<Record<string, string>> =>
      namespaceLabels(namespace, labels.get(namespace)),

    secret: (namespace: string, name: string): SecretData | undefined => secrets.get(idFrom('Secret', namespace, name)),
  }
}

/** Remembers which files could be read as a whole: what they defined then is known. */
const createReading = () => {
  const read = new Set<string>()
  let isUnknown = false
  return {
    saw({ files, unread }: Pick<Loaded, 'files' | 'unread'>): void {
      for (const file of files) if (!unread.includes(file)) read.add(file)
      isUnknown = unread.some((path) => !read.has(path))
    },
    /** Whether there is one that could not be read so far. */
    isUnknown: () => isUnknown,
  }
}
