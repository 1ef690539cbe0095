import { repeat } from '../../../async/repeat.ts'
import type { Log } from '../../log.ts'
import { isApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { all, type Dropped } from './dropped.ts'
import { releaseAll } from './release-all.ts'

type Releasing = {
  readonly client: Pick<Client, 'request'>
  readonly dropped: Pick<Dropped, 'pending' | 'release'>
  readonly isWatched: (namespace: string) => boolean
  readonly fence: () => void
  readonly log: Pick<Log, 'info' | 'warn'>
}

const everyMs = 3_000
/** After a fault, such as a right that is missing. */
const againMs = 60_000

/** Releases the resources in namespaces that are not watched any more, for as long as this process leads. */
export const keepReleasing = (
  { client, dropped, isWatched, fence, log }: Releasing,
  signal: AbortSignal,
): Promise<void> => {
  const notBefore = new Map<string, number>()
  const released = new Map<string, Map<string, number>>()
  const timesOf = (namespace: string): Map<string, number> => {
    const times = released.get(namespace) ?? new Map()
    released.set(namespace, times)
    return times
  }
  const release = async (namespace: string): Promise<void> => {
    const where = namespace === all ? 'all namespaces that are not watched' : namespace
    try {
      const count = await releaseAll(client, namespace, isWatched, timesOf(namespace), fence)
      // What was in flight may have come after: it is over once a look finds nothing.
      if (count === 0) dropped.release(namespace)
      else
        log.info(
          { namespace: where, resources: count },
          'Removed the finalizers in a namespace that is not watched any more',
        )
    } catch (error) {
      if (signal.aborted) return
      notBefore.set(namespace, performance.now() + againMs)
      const hint = isApiError(error, 403) ? '; rbac.finalizersEverywhere of the chart grants the right' : ''
      const message = `Could not remove the finalizers in a namespace that is not watched any more${hint}`
      log.warn({ namespace: where, error }, message)
    }
  }
  return repeat(
    everyMs,
    async () => {
      const pending = dropped.pending()
      for (const namespace of released.keys()) if (!pending.includes(namespace)) released.delete(namespace)
      for (const namespace of pending)
        if ((notBefore.get(namespace) ?? 0) <= performance.now()) await release(namespace)
    },
    signal,
  )
}
