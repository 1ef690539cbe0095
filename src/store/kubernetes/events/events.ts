/**
 * Notices as Kubernetes Events, recorded in the background: counted, limited, and given up rather than in the way of
 * anything else. Nothing here decides what is worth an Event.
 */

import { idOf } from '../../../api/resource.ts'
import { pause } from '../../../async/abort.ts'
import { type Backoff, backoffMs } from '../../../async/backoff.ts'
import type { Log } from '../../log.ts'
import type { Notice } from '../../store.ts'
import { ApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { createEventBudgets } from './event-budgets.ts'
import { type Reporter, type Series, type Subject, seriesKey, seriesOf } from './event-series.ts'
import { storeEvent } from './store-event.ts'

export type EventsOptions = Reporter & {
  readonly client: Pick<Client, 'request'>
  readonly log: Pick<Log, 'debug'>
}

export type Events = {
  /** `fence` is called right before the Event is sent; where it throws, the Event is dropped. */
  record(resource: Subject, notice: Notice, fence?: () => void): void
  /** Resolves after the signal, when the remaining Events are stored or their time is up. */
  readonly done: Promise<void>
}

/** The same within this time is one Event. */
const sameWithinMs = 10 * 60_000
const queueAtMost = 5_000
/** A thousand resources that become Ready at once must not keep the API server from accepting their statuses. */
const leastPauseMs = 20
/** The pause after an Event, as a multiple of the time that the server took to store it: a busy one gets a longer one. */
const pauseShare = 2
const triesAtMost = 6
const retryBackoff: Backoff = { first: 750, most: 12_000 }
const drainWithinMs = 2_000

/** Records Events in the background until the signal aborts. */
export const createEvents = ({ client, log, ...reporter }: EventsOptions, signal: AbortSignal): Events => {
  /** By key, the longest untouched first. */
  const known = new Map<string, Series>()
  const budgets = createEventBudgets()
  const queue = new Set<Series>()
  let wake = Promise.withResolvers<void>()

  const record = (resource: Subject, notice: Notice, fence?: () => void): void => {
    const now = Date.now()
    forgetOld(known, now)
    budgets.forget(now)
    const key = seriesKey(resource, notice)
    if (!budgets.take(idOf(resource), now) || queue.size >= queueAtMost) {
      log.debug({ resource: idOf(resource), reason: notice.reason }, 'Too many Events, dropped one')
      return
    }
    const series = known.get(key) ?? seriesOf(resource, notice, reporter, now)
    Object.assign(series, { count: series.count + 1, lastMs: now, fence } satisfies Partial<Series>)
    known.delete(key)
    known.set(key, series)
    queue.add(series)
    wake.resolve()
  }

  const run = async (): Promise<void> => {
    const cut = new AbortController()
    const stop = (): void => {
      setTimeout(() => cut.abort(), drainWithinMs).unref()
      wake.resolve()
    }
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    while (!cut.signal.aborted) {
      const [next] = queue
      if (next) {
        queue.delete(next)
        const begun = performance.now()
        await storeWithRetries({ client, log }, next, cut.signal, signal)
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

const forgetOld = (known: Map<string, Series>, now: number): void => {
  for (const [key, { lastMs }] of known) {
    if (now - lastMs < sameWithinMs) break
    known.delete(key)
  }
}

/** `cut` ends a request; after `stopping` nothing is tried again. */
const storeWithRetries = async (
  { client, log }: Pick<EventsOptions, 'client' | 'log'>,
  series: Series,
  cut: AbortSignal,
  stopping: AbortSignal,
): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      await storeEvent(client, series, cut)
      return
    } catch (error) {
      const isTransient = error instanceof ApiError && [0, 429, 500, 503, 504].includes(error.status)
      // A namespace that is being deleted accepts no Events, and a leadership that has ended records none.
      if (!isTransient || tries >= triesAtMost || stopping.aborted) {
        log.debug({ event: `${series.namespace}/${series.name}`, error }, 'Could not store an Event')
        return
      }
      await pause(backoffMs(tries, retryBackoff), stopping)
    }
  }
}
