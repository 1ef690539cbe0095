import { setTimeout as delay } from 'node:timers/promises'
import { ApiError, isApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import type { WatchEvent } from '../api/watch-events.ts'

/** Where what was seen goes. What it throws is logged, and the loop goes on. */
export type Sink = {
  /** All there is, as of now; `since` is when the list was asked for, by the clock of {@link Sink.now}. */
  replace(items: readonly unknown[], since: number): void
  changed(object: unknown): void
  gone(object: unknown): void
  now(): number
}

type Labels = { kind: string; namespace: string }

export type ListWatchMetrics = {
  readonly lists: { inc(labels: Labels): void }
  readonly watchEnds: { inc(labels: Labels & { cause: 'ended' | 'expired' | 'silent' | 'failed' }): void }
  readonly watchReceived: { set(labels: Labels, unixSeconds: number): void }
}

type Say = (fields: object, message: string) => void

export type ListWatchOptions = {
  readonly client: Pick<Client, 'request' | 'watch'>
  /** Of the collection. */
  readonly path: string
  /** `namespace` is empty where it is all of them. */
  readonly labels: Labels
  readonly sink: Sink
  readonly metrics: ListWatchMetrics
  readonly log: { readonly debug: Say; readonly error: Say }
  /** Called when the first list is in the sink. */
  listed(): void
  /** Called with each fault that keeps it from knowing what there is, but not for a watch that was cut, which happens. */
  failed(error: ApiError): void
  /** Called when all is well again, and sometimes when it was already. */
  recovered(): void
  /** How long a watch is asked for, about. Default: 45,000. */
  readonly watchMs?: number
}

type List = {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly unknown[]
}

const pageSize = 500
const firstBackoffMs = 200
const longestBackoffMs = 10_000
/** A watch that lived so long was a working one, even if there was nothing to tell. */
const workingAfterMs = 1_000
/** How much later than asked for a server may end a watch. */
const graceMs = 5_000

/**
 * Keeps the sink equal to a collection until the signal aborts; nothing else ends it. It lists once, then watches from
 * the list's version, and after whatever fault again from the version last seen. It lists again only when the server no
 * longer knows that version, or when two watches in a row were accepted and then told nothing that makes sense.
 */
export const listWatch = async (options: ListWatchOptions, signal: AbortSignal): Promise<void> => {
  const { client, path, labels, sink, metrics, log, watchMs = 45_000 } = options
  let version: string | undefined
  /** In a row, without a sign of life in between. */
  let failures = 0
  /** Watches in a row that were accepted and then failed without an event. */
  let emptyWatches = 0
  let wasExpired = false

  const guarded = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      log.error({ ...labels, error }, 'What a watch told could not be taken in')
    }
  }

  const alive = (): void => {
    if (failures > 0) options.recovered()
    failures = 0
    emptyWatches = 0
    wasExpired = false
    metrics.watchReceived.set(labels, Date.now() / 1000)
  }

  const list = async (): Promise<string> => {
    const since = sink.now()
    const items: unknown[] = []
    let token: string | undefined
    let page: List
    metrics.lists.inc(labels)
    do {
      const query = { limit: pageSize, continue: token }
      // The loop itself tries again, with a backoff of its own.
      page = await client.request<List>({ method: 'GET', path, query, tries: 1 }, signal)
      for (const item of page.items) items.push(item)
      token = page.metadata.continue
    } while (token)
    guarded(() => sink.replace(items, since))
    return page.metadata.resourceVersion
  }

  const take = ({ type, object }: WatchEvent): void => {
    if (type === 'DELETED') guarded(() => sink.gone(object))
    else if (type !== 'BOOKMARK') guarded(() => sink.changed(object))
  }

  const watch = async (from: string): Promise<void> => {
    // A connection that died without a word looks like one on which nothing happens: where nothing does, some servers
    // tell no bookmark for minutes. But they always end a watch when they were asked to, so they are asked to end it soon.
    const timeoutSeconds = Math.ceil((watchMs * (2 + 2 * Math.random())) / 3_000)
    const query = { resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds }
    const events = await client.watch(path, query, timeoutSeconds * 1000 + graceMs, signal)
    const acceptedAt = performance.now()
    emptyWatches += 1
    for await (const event of events) {
      take(event)
      version = versionOf(event.object) ?? version
      alive()
    }
    if (performance.now() - acceptedAt > workingAfterMs) alive()
    // A server that is about to stop, or a proxy, may accept watches and end them at once, again and again.
    if (emptyWatches > 0) throw new ApiError({ status: 0, reason: 'Unreachable' }, `WATCH ${path}: it ended at once`)
  }

  const round = async (): Promise<void> => {
    if (version === undefined) {
      version = await list()
      if (failures > 0) options.recovered()
      options.listed()
    }
    await watch(version)
    metrics.watchEnds.inc({ ...labels, cause: 'ended' })
  }

  const afterFault = (fault: ApiError): number => {
    const expired = isApiError(fault, 400, 410)
    const silent = fault.reason === 'Silent'
    if (version !== undefined) {
      metrics.watchEnds.inc({ ...labels, cause: expired ? 'expired' : silent ? 'silent' : 'failed' })
    }
    // Silence twice may also be a server that was set back to an earlier time, and waits for a version long gone by.
    const confused = emptyWatches >= 2 && fault.reason !== 'Unreachable'
    if (expired || confused) version = undefined
    failures += 1
    // That a version is forgotten now and then is how the server works, and after a restart all of them are.
    if (expired && !wasExpired) {
      wasExpired = true
      return firstBackoffMs * Math.random()
    }
    if (!expired && (version === undefined || failures >= 3)) options.failed(fault)
    const ceilingMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1))
    const askedMs = Math.min(fault.retryAfterMs ?? 0, longestBackoffMs)
    return Math.max(askedMs, ceilingMs * (0.5 + Math.random() / 2))
  }

  while (!signal.aborted) {
    try {
      await round()
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof ApiError)) log.error({ ...labels, error }, 'A watch failed')
      const fault =
        error instanceof ApiError ? error : new ApiError({ status: 0, reason: 'Unreachable' }, String(error))
      log.debug({ ...labels, error: fault, version }, 'Watching again')
      await delay(afterFault(fault), undefined, { signal }).catch(() => undefined)
    }
  }
}

const versionOf = (object: unknown): string | undefined => {
  const version: unknown = Object(Object(object).metadata).resourceVersion
  return typeof version === 'string' && version !== '' ? version : undefined
}
