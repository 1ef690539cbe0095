import { type Kind, keyFrom, type Metadata, type Resource } from '../../../api/resource.ts'
import type { Problem } from '../../../api/schema/problem.ts'
import type { Change } from '../../store.ts'
import { type Known, type Raw, rawOf, resourceOf, validateSpec } from './intake.ts'
import type { Sink } from './list-watch.ts'

type Entry = {
  readonly version: bigint
  /** When it was put here, by a clock that counts changes. */
  readonly at: number
  readonly known: Known
  readonly metadata: Metadata
  readonly resource: Resource | undefined
}

export type CacheOptions = {
  readonly kind: Kind
  /** Called with each change after it is made. */
  announce(change: Change): void
  /** Called once for each generation that is not valid. `isFirst`: there is no earlier one that could stay in use. */
  invalid(metadata: Metadata, problems: readonly Problem[], isFirst: boolean): void
}

/**
 * The resources of one kind. An event of a watch may be older than the answer to a write, so an object is replaced only
 * by a later version of itself. Versions of one kind are ordered like numbers.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export const createCache = ({ kind, announce, invalid }: CacheOptions) => {
  const entries = new Map<string, Entry>()
  let listed: readonly Resource[] | undefined
  let clock = 0

  const changed = ({ namespace, name }: Metadata): void => {
    listed = undefined
    announce({ kind: kind.kind, namespace, name })
  }

  const drop = (key: string, { metadata, resource }: Entry): void => {
    entries.delete(key)
    if (resource) changed(metadata)
  }

  const put = (raw: Raw, isNewer: (entry: Entry, version: bigint) => boolean): void => {
    const { metadata } = raw
    const key = keyOf(metadata)
    const before = entries.get(key)
    const version = BigInt(metadata.resourceVersion)
    if (before && !isNewer(before, version)) return
    // A reader of the cache alone would miss that this is another object of the same name.
    if (before && before.metadata.uid !== metadata.uid) drop(key, before)
    const entry = entries.get(key)
    const known = validateSpec(kind, raw, entry?.known)
    const resource = resourceOf(kind, raw, known)
    clock += 1
    entries.set(key, { version, at: clock, known, metadata, resource })
    if (known !== entry?.known && known.problems.length > 0) invalid(metadata, known.problems, !resource)
    if (resource || entry?.resource) changed(metadata)
  }

  const isLater = (entry: Entry, version: bigint): boolean => version > entry.version

  return {
    get: (namespace: string, name: string): Resource | undefined => entries.get(keyFrom(namespace, name))?.resource,

    list(): readonly Resource[] {
      listed ??= [...entries.values()].flatMap(({ resource }) => resource ?? [])
      return listed
    },

    /** Also of an invalid resource. */
    metadata: (namespace: string, name: string): Metadata | undefined =>
      entries.get(keyFrom(namespace, name))?.metadata,

    /** The resources that were never valid, and so are not listed. */
    strays: (): readonly Metadata[] => [...entries.values()].flatMap((entry) => (entry.resource ? [] : entry.metadata)),

    /** The sink for a list-watch of these resources, in one namespace or, where it is left out, in all. */
    sink: (namespace?: string): Sink => ({
      now: () => clock,
      replace(items, since) {
        const present = new Set<string>()
        for (const item of items) {
          const raw = rawOf(item)
          if (raw === undefined) continue
          present.add(keyOf(raw.metadata))
          // A list is the truth, even if the server was restored from a backup, except for what was written since.
          put(raw, ({ version, at }, found) => found > version || (found < version && at <= since))
        }
        for (const [key, entry] of entries) {
          const mine = namespace === undefined || entry.metadata.namespace === namespace
          if (mine && !present.has(key)) drop(key, entry)
        }
      },
      changed(object) {
        const raw = rawOf(object)
        if (raw) put(raw, isLater)
      },
      gone(object) {
        const raw = rawOf(object)
        const key = raw && keyOf(raw.metadata)
        const entry = key === undefined ? undefined : entries.get(key)
        // Another object of the same name stays.
        if (raw && key !== undefined && entry?.metadata.uid === raw.metadata.uid) drop(key, entry)
      },
    }),

    /** Puts the answer to a read or write of one object; never brings back a deleted object. */
    refresh(object: unknown): void {
      const raw = rawOf(object)
      if (raw && entries.get(keyOf(raw.metadata))?.metadata.uid === raw.metadata.uid) put(raw, isLater)
    },
  }
}

export type Cache = ReturnType<typeof createCache>

const keyOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  keyFrom(namespace, name)
