import { idOf } from '../../../api/resource.ts'
import { backoffMs, pause } from '../../../async/backoff.ts'
import type { Log } from '../../log.ts'
import type { Notice } from '../../store.ts'
import { ApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { createEventBudgets } from './event-budgets.ts'
import { type Regarding, type Reporter, type Series, seriesKey, seriesOf } from './event-series.ts'
import { storeEvent } from './store-event.ts'

export type EventsOptions = Reporter & {
  readonly client: Pick<Client, 'request'>
  readonly log: Pick<Log, 'debug'>
}

export type Events = {
  /** Stores a notice soon. `fence` is called right before each write; what it throws prevents the write. */
  record(resource: Regarding, notice: Notice, fence?: () => void): void
  /** Resolves after the signal, once the notices that were left are stored or their time is up. */
  readonly done: Promise<void>
}

/** The same notice within this time is one Event. */
const sameWithinMs = 10 * 60_000
const queueAtMost = 5_000
/** A thousand resources that become Ready at once must not keep the API server from taking their statuses. */
const leastPauseMs = 20
/** The pause after an Event, as a multiple of what the server took to store it: a busy one gets longer pauses. */
const pauseShare = 2
const triesAtMost = 6
const backoff = { first: 750, most: 12_000 }
const drainWithinMs = 2_000

/** Stores notices about resources as Events, in the background, until the signal aborts. */
export const createEvents = ({ client, log, ...reporter }: EventsOptions, signal: AbortSignal): Events => {
  /** By key, the least recently used first. */
  const known = new Map<string, Series>()
  const budgets = createEventBudgets()
  const queue = new Set<Series>()
  const cut = new AbortController()
  let wake = Promise.withResolvers<void>()

  const forgetOld = (now: number): void => {
    for (const [key, { lastMs }] of known) {
      if (now - lastMs < sameWithinMs) break
      known.delete(key)
    }
  }

  const record = (resource: Regarding, notice: Notice, fence?: () => void): void => {
    const now = Date.now()
    forgetOld(now)
    const key = seriesKey(resource, notice)
    if (!budgets.take(idOf(resource), now) || queue.size >= queueAtMost) {
      log.debug({ resource: idOf(resource), reason: notice.reason }, 'Dropped an Event: too many')
      return
    }
    const series = known.get(key) ?? seriesOf(resource, notice, reporter, now)
    Object.assign(series, { count: series.count + 1, lastMs: now, fence })
    known.delete(key)
    known.set(key, series)
    queue.add(series)
    wake.resolve()
  }

  const store = async (series: Series): Promise<void> => {
    for (let failures = 1; ; failures++) {
      try {
        return await storeEvent(client, series, cut.signal)
      } catch (error) {
        const isTransient = error instanceof ApiError && [0, 429, 500, 503, 504].includes(error.status)
        // A namespace that is being deleted accepts no Events, and a leadership that ended writes none.
        if (!isTransient || failures >= triesAtMost || signal.aborted) {
          log.debug({ event: `${series.namespace}/${series.name}`, error }, 'Could not store an Event')
          return
        }
        await pause(backoffMs(failures, backoff), signal)
      }
    }
  }

  const stop = (): void => {
    setTimeout(() => cut.abort(), drainWithinMs).unref()
    wake.resolve()
  }

  const run = async (): Promise<void> => {
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    while (!cut.signal.aborted) {
      const [next] = queue
      if (next) {
        queue.delete(next)
        const begun = performance.now()
        await store(next)
        const pauseMs = Math.max(leastPauseMs, pauseShare * (performance.now() - begun))
        if (!signal.aborted) await pause(pauseMs, signal)
      } else if (signal.aborted) return
      else {
        wake = Promise.withResolvers()
        await wake.promise
      }
    }
  }

  return { record, done: run() }
}
