import { backoffMs, pause } from '../../../async/backoff.ts'
import type { Log } from '../../log.ts'
import { ApiError, isApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import type { WatchEvent } from '../api/watch-events.ts'

/** Receives what was listed and watched. What it throws is logged, and the watch continues. */
export type Sink = {
  /** All objects as of now; `since` is when the list was requested, by the clock of {@link Sink.now}. */
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

export type ListWatchOptions = {
  readonly client: Pick<Client, 'request' | 'watch'>
  /** The path of the collection. */
  readonly path: string
  /** `namespace` is empty where it is all of them. */
  readonly labels: Labels
  readonly sink: Sink
  readonly metrics: ListWatchMetrics
  readonly log: Pick<Log, 'debug' | 'error'>
  /** Called when the first list is in the sink. */
  listed(): void
  /** Called with each fault that keeps the sink from being current, but not for a single watch that was cut. */
  failed(error: ApiError): void
  /** Called when it works again, and sometimes when it did already. */
  recovered(): void
  /** About how long each watch lasts. Default: 45,000. */
  readonly watchMs?: number
}

type List = {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly unknown[]
}

const pageSize = 500
const backoff = { first: 200, most: 10_000 }
/** A watch that lasted so long worked, even if there were no events. */
const workingAfterMs = 1_000
/** How much later than requested a server may end a watch. */
const graceMs = 5_000

/**
 * Keeps the sink equal to a collection until the signal aborts; nothing else ends it. It lists once, then watches from
 * the list's version, and after any fault again from the latest version received. It lists again only when the server no
 * longer knows that version, or when two watches in a row were accepted and then sent no valid event.
 */
export const listWatch = async (options: ListWatchOptions, signal: AbortSignal): Promise<void> => {
  const { client, path, labels, sink, metrics, log, watchMs = 45_000 } = options
  let version: string | undefined
  /** Failures in a row, without an event in between. */
  let failures = 0
  /** Watches in a row that were accepted and then failed without an event. */
  let emptyWatches = 0
  let wasExpired = false

  const guarded = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      log.error({ ...labels, error }, 'Could not process a watch event')
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
      // The loop below retries, with a backoff.
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
    // A dead connection looks like a quiet one: some servers send no bookmark for minutes. But they always end a watch
    // after the time that was requested, so a short one is.
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
    // Silence twice may also mean a server that was restored from a backup and has not reached that version again.
    const versionIsSuspect = emptyWatches >= 2 && fault.reason !== 'Unreachable'
    if (expired || versionIsSuspect) version = undefined
    failures += 1
    // The server forgets old versions from time to time, and all of them after a restart.
    if (expired && !wasExpired) {
      wasExpired = true
      return backoff.first * Math.random()
    }
    if (!expired && (version === undefined || failures >= 3)) options.failed(fault)
    return Math.max(Math.min(fault.retryAfterMs ?? 0, backoff.most), backoffMs(failures, backoff))
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
      await pause(afterFault(fault), signal)
    }
  }
}

const versionOf = (object: unknown): string | undefined => {
  const version: unknown = Object(Object(object).metadata).resourceVersion
  return typeof version === 'string' && version !== '' ? version : undefined
}
