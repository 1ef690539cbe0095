import { isDeleting, keyFrom, type Metadata } from '../../../api/resource.ts'
import { type CacheOptions, createCacheEntries, type Entry } from './cache-entries.ts'
import { rawOf } from './intake.ts'
import type { Sink } from './list-watch.ts'

/**
 * The resources of one kind as they are known. What a watch sends may be older than the answer to a write, so an object
 * is replaced only by a later version of itself. Versions of one kind are ordered like numbers.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export const createCache = (options: CacheOptions) => {
  const entries = createCacheEntries(options)

  return {
    get: entries.shown,

    list: entries.list,

    turned: entries.turned,

    /** Also of what is not valid. */
    metadata: (namespace: string, name: string): Metadata | undefined => entries.get(namespace, name)?.metadata,

    /** Those that were never valid, so that they are known to nothing else. */
    strays: entries.strays,

    /** What receives the objects of a list-watch: of a namespace, or of all where it is left out. */
    sink: (namespace?: string): Sink => ({
      now: entries.now,
      replace(items, since) {
        const present = new Set<string>()
        for (const item of items) {
          const raw = rawOf(item)
          if (raw === undefined) continue
          present.add(keyFrom(raw.metadata.namespace, raw.metadata.name))
          // A list is the present state, even if the server was set back to an earlier time; but for what was written since.
          entries.put(raw, ({ version, at }, found) => found > version || (found < version && at <= since))
        }
        for (const [key, entry] of entries.all()) {
          const isListed = namespace === undefined || entry.metadata.namespace === namespace
          if (isListed && !present.has(key)) entries.remove(key, entry)
        }
      },
      changed(object) {
        const raw = rawOf(object)
        if (raw) entries.put(raw, isLater)
      },
      gone(object) {
        const metadata = rawOf(object)?.metadata
        const entry = metadata && entries.get(metadata.namespace, metadata.name)
        // Another object that has its name meanwhile stays.
        if (entry && entry.metadata.uid === metadata.uid) {
          entries.remove(keyFrom(metadata.namespace, metadata.name), entry)
        }
      },
    }),

    /** Takes the answer to a read or write of one object; never brings back what is gone. */
    refresh(object: unknown): void {
      const raw = rawOf(object)
      const entry = raw && entries.get(raw.metadata.namespace, raw.metadata.name)
      if (entry?.metadata.uid !== raw?.metadata.uid || raw === undefined || entry === undefined) return
      // The last finalizer was taken off: the watch may say so late, or never where the right to watch has ended.
      const isGone = isDeleting(raw) && !raw.metadata.finalizers?.length
      if (isGone) entries.remove(keyFrom(raw.metadata.namespace, raw.metadata.name), entry)
      else entries.put(raw, isLater)
    },
  }
}

export type Cache = ReturnType<typeof createCache>

const isLater = (entry: Entry, version: bigint): boolean => version > entry.version
