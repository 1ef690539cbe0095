/**
 * The namespaces that an installation watched, and does not any more. The Lease of the operator remembers them, so that the
 * next process that leads knows them too.
 */

/** Where the Lease names the namespaces that are watched, and those that were and are not released yet. */
export const namespacesAnnotation = 'waybill.dev/namespaces'

/** Stands for all namespaces, and is no name of one. */
export const all = '*'

/** What an object may have of annotations in all is 256 KiB. Beyond that nothing is remembered. */
const mostText = 200_000

export type Dropped = {
  /** What the Lease is to say; asked for with what it says at each write. */
  annotation(before: string | undefined): string | undefined
  /** Something changed in it: where it is watched, it is to be released when it is not any more, however soon that is. */
  changed(namespace: string): void
  /** Those that are to be released; `*` for all that are not watched. */
  pending(): readonly string[]
  /** Nothing of ours is left in it. */
  release(namespace: string): void
}

/** `watchedNow`: the namespaces that are watched, `undefined` for all. */
export const createDropped = (watchedNow: () => readonly string[] | undefined): Dropped => {
  /** Those that were watched since the Lease was written: it is not at every moment. */
  const watchedMeanwhile = new Set<string>()
  const pending = new Set<string>()
  /** Those that the Lease still names. */
  const released = new Set<string>()
  return {
    annotation(before) {
      const watched = watchedNow()
      if (watched === undefined) {
        pending.clear()
        watchedMeanwhile.clear()
        return all
      }
      const names = new Set(watched)
      const named = new Set(before?.split(','))
      for (const name of released) if (!named.has(name) || names.has(name)) released.delete(name)
      for (const name of named) if (name !== '' && !released.has(name)) pending.add(name)
      for (const name of watchedMeanwhile) pending.add(name)
      watchedMeanwhile.clear()
      for (const name of names) pending.delete(name)
      const text = [...names, ...pending].sort().join(',')
      return text.length > mostText ? undefined : text
    },
    changed(namespace) {
      if (!watchedMeanwhile.has(namespace) && watchedNow()?.includes(namespace)) watchedMeanwhile.add(namespace)
    },
    pending: () => [...pending],
    release(namespace) {
      if (pending.delete(namespace)) released.add(namespace)
    },
  }
}
