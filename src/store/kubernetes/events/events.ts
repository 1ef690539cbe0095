import { setTimeout as delay } from 'node:timers/promises'
import { idOf } from '../../../api/resource.ts'
import type { Notice } from '../../store.ts'
import { ApiError, isApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { corePath } from '../api/paths.ts'
import { counted, type Series, seriesKey, seriesOf, type Teller, type Told } from './event-series.ts'

type Say = (fields: object, message: string) => void

export type EventsOptions = Teller & {
  readonly client: Pick<Client, 'request'>
  readonly log: { readonly debug: Say }
}

export type Events = {
  record(resource: Told, notice: Notice, mayWrite?: () => void): void
  /** Resolves after the signal, when what was left has been told or its time is up. */
  readonly done: Promise<void>
}

/** The same within this time is one Event. */
const sameWithinMs = 10 * 60_000
const queueAtMost = 5_000
/** A thousand resources that become Ready at once must not keep the API server from taking their statuses. */
const leastPauseMs = 20
/** The pause after an Event, as a multiple of what the server took to store it: a busy one is left alone for longer. */
const pauseShare = 2
/** Of each resource so many at once, and then one a minute: as client-go, but sooner again. */
const burst = 25
const perTokenMs = 60_000
const triesAtMost = 6
const drainWithinMs = 2_000

/** Tells the owners of resources what happens to them as Events, in the background, until the signal aborts. */
export const createEvents = ({ client, log, ...teller }: EventsOptions, signal: AbortSignal): Events => {
  /** By key, the longest untouched first. */
  const known = new Map<string, Series>()
  const budgets = new Map<string, { tokens: number; at: number }>()
  const queue = new Set<Series>()
  const cut = new AbortController()
  let wake = Promise.withResolvers<void>()

  const mayTell = (resource: Told, now: number): boolean => {
    const id = idOf(resource)
    const budget = budgets.get(id) ?? { tokens: burst, at: now }
    budget.tokens = Math.min(burst, budget.tokens + (now - budget.at) / perTokenMs)
    budget.at = now
    budgets.delete(id)
    budgets.set(id, budget)
    if (budget.tokens < 1) return false
    budget.tokens -= 1
    return true
  }

  const forget = (now: number): void => {
    for (const [key, { lastMs }] of known) {
      if (now - lastMs < sameWithinMs) break
      known.delete(key)
    }
    for (const [id, { at }] of budgets) {
      if (now - at < burst * perTokenMs) break
      budgets.delete(id)
    }
  }

  const record = (resource: Told, notice: Notice, mayWrite?: () => void): void => {
    const now = Date.now()
    forget(now)
    const key = seriesKey(resource, notice)
    if (!mayTell(resource, now) || queue.size >= queueAtMost) {
      log.debug({ resource: idOf(resource), reason: notice.reason }, 'Too many Events, left one out')
      return
    }
    const series = known.get(key) ?? seriesOf(resource, notice, teller, now)
    Object.assign(series, { count: series.count + 1, lastMs: now, mayWrite })
    known.delete(key)
    known.set(key, series)
    queue.add(series)
    wake.resolve()
  }

  const store = async (series: Series): Promise<void> => {
    const { event, namespace, name, mayWrite: before } = series
    if (series.isStored) {
      const contentType = 'application/merge-patch+json'
      const path = corePath('events', namespace, name)
      try {
        const change = { method: 'PATCH', path, contentType, body: counted(series), before, tries: 1 } as const
        return await client.request(change, cut.signal)
      } catch (error) {
        // Events live for an hour, and some clusters keep them for less.
        if (!isApiError(error, 404)) throw error
      }
    }
    const body = { ...event, ...counted(series) }
    try {
      await client.request({ method: 'POST', path: corePath('events', namespace), body, before }, cut.signal)
    } catch (error) {
      // Its name is its own, so what is there already is an earlier try whose answer was lost.
      if (!isApiError(error, 409)) throw error
    }
    series.isStored = true
  }

  const tell = async (series: Series): Promise<void> => {
    for (let tries = 1; ; tries++) {
      try {
        return await store(series)
      } catch (error) {
        const mayPass = error instanceof ApiError && [0, 429, 500, 503, 504].includes(error.status)
        // A namespace on its way out takes no Events, and a term that is over tells none.
        if (!mayPass || tries >= triesAtMost || signal.aborted) {
          log.debug({ event: `${series.namespace}/${series.name}`, error }, 'Could not store an Event')
          return
        }
        await delay(250 * 2 ** tries * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined)
      }
    }
  }

  const run = async (): Promise<void> => {
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
        await tell(next)
        const pauseMs = Math.max(leastPauseMs, pauseShare * (performance.now() - begun))
        if (!signal.aborted) await delay(pauseMs, undefined, { signal }).catch(() => undefined)
      } else if (signal.aborted) return
      else {
        wake = Promise.withResolvers()
        await wake.promise
      }
    }
  }

  return { record, done: run() }
}
