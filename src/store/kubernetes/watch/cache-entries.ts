import { type Kind, keyFrom, type Metadata, type Resource } from '../../../api/resource.ts'
import type { Problem } from '../../../api/schema/problem.ts'
import type { Change } from '../../store.ts'
import { type Checked, checkSpec, type Raw, resourceOf } from './intake.ts'

export type Entry = {
  readonly version: bigint
  /** When it was put here, by a clock that counts. */
  readonly at: number
  readonly checked: Checked
  readonly metadata: Metadata
  readonly resource: Resource | undefined
}

export type CacheOptions = {
  readonly kind: Kind
  /** Receives each change after it is made. */
  announce(change: Change): void
  /** Called once for each generation that is not valid. `isFirst`: there is no earlier one that could stay in use. */
  invalid(metadata: Metadata, problems: readonly Problem[], isFirst: boolean): void
  /** Whether what is in a namespace is shown; all are when left out. */
  isWatched?(namespace: string): boolean
}

/** The entries of a cache, which announce their changes. */
export const createCacheEntries = ({ kind, announce, invalid, isWatched = () => true }: CacheOptions) => {
  const entries = new Map<string, Entry>()
  let listed: readonly Resource[] | undefined
  let clock = 0

  const changed = ({ namespace, name }: Metadata): void => {
    listed = undefined
    announce({ kind: kind.kind, namespace, name })
  }

  const remove = (key: string, { metadata, resource }: Entry): void => {
    entries.delete(key)
    if (resource) changed(metadata)
  }

  return {
    get: (namespace: string, name: string): Entry | undefined => entries.get(keyFrom(namespace, name)),
    all: (): Iterable<readonly [string, Entry]> => entries,
    /** As it is shown to others. */
    shown: (namespace: string, name: string): Resource | undefined =>
      isWatched(namespace) ? entries.get(keyFrom(namespace, name))?.resource : undefined,
    strays: (): readonly Metadata[] =>
      [...entries.values()].flatMap(({ resource, metadata }) =>
        resource || !isWatched(metadata.namespace) ? [] : metadata,
      ),
    list(): readonly Resource[] {
      const shown = ({ resource, metadata }: Entry) => (isWatched(metadata.namespace) ? (resource ?? []) : [])
      listed ??= [...entries.values()].flatMap(shown)
      return listed
    },
    /** A namespace is watched from now on, or not any more. */
    turned(namespace: string): void {
      for (const { metadata, resource, checked } of entries.values()) {
        if (metadata.namespace !== namespace) continue
        changed(metadata)
        if (isWatched(namespace) && checked.problems.length > 0) invalid(metadata, checked.problems, !resource)
      }
    },
    now: () => clock,
    /** Replaces the entry of an object, where `isNewer` holds for the one that is there. */
    put(raw: Raw, isNewer: (entry: Entry, version: bigint) => boolean): void {
      const { metadata } = raw
      const key = keyFrom(metadata.namespace, metadata.name)
      const before = entries.get(key)
      const version = BigInt(metadata.resourceVersion)
      if (before && !isNewer(before, version)) return
      // A listener that only looks at what is there would miss that it is another object than before.
      if (before && before.metadata.uid !== metadata.uid) remove(key, before)
      const entry = entries.get(key)
      const checked = checkSpec(kind, raw, entry?.checked)
      const resource = resourceOf(kind, raw, checked)
      clock += 1
      entries.set(key, { version, at: clock, checked, metadata, resource })
      const isNews = checked !== entry?.checked && checked.problems.length > 0
      if (isNews && isWatched(metadata.namespace)) invalid(metadata, checked.problems, !resource)
      if (resource || entry?.resource) changed(metadata)
    },
    remove,
  }
}
