/**
 * Keeps a cache equal to what the API server has: list, watch, what is kept of an object, and which faults are worth a
 * log line. Nothing here writes to the cluster.
 */
import { pause } from '../../../async/abort.ts'
import type { Log } from '../../log.ts'
import { ApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { afterFault, endOf, type Progress } from './after-fault.ts'

/** What receives the objects. What it throws is logged, and the loop continues. */
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
  /** Of the collection. */
  readonly path: string
  /** Which objects of it; all when left out. In the syntax of `kubectl -l`. */
  readonly labelSelector?: string
  /** `namespace` is empty where it is all of them. */
  readonly labels: Labels
  readonly sink: Sink
  readonly metrics: ListWatchMetrics
  readonly log: Pick<Log, 'debug' | 'error'>
  /** Called when the first list is in the sink. */
  listed(): void
  /** Called with each fault that keeps it from knowing what there is, but not for a watch that was cut, which happens. */
  failed(error: ApiError): void
  /** Called when all is well again, and sometimes when it was already. */
  recovered(): void
  /** How long a watch is requested for, about. Default: 45,000. */
  readonly watchMs?: number
}

type List = {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly unknown[]
}

/** A list-watch, how far it has come, and whether the time of its last sign of life is known. */
type Run = { readonly options: ListWatchOptions; readonly signal: AbortSignal; progress: Progress; isHeard: boolean }

const pageSize = 500
/** A watch that lived so long was a working one, even without an event. */
const workingAfterMs = 1_000
/** How much later than requested a server may end a watch. */
const graceMs = 5_000

/**
 * Keeps the sink equal to a collection until the signal aborts; nothing else ends it. It lists once, then watches from
 * the list's version, and after any fault again from the version last seen. It lists again only when the server no
 * longer knows that version, or when two watches in a row were accepted and then sent nothing usable.
 */
export const listWatch = async (options: ListWatchOptions, signal: AbortSignal): Promise<void> => {
  const { labels, metrics, log } = options
  const start = { version: undefined, failures: 0, emptyWatches: 0, wasExpired: false }
  const run: Run = { options, signal, progress: start, isHeard: false }
  while (!signal.aborted) {
    try {
      await listAndWatch(run)
      metrics.watchEnds.inc({ ...labels, cause: 'ended' })
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof ApiError)) log.error({ ...labels, error }, 'A watch failed')
      const fault =
        error instanceof ApiError ? error : new ApiError({ status: 0, reason: 'Unreachable' }, String(error))
      const { version } = run.progress
      log.debug({ ...labels, error: fault, version }, 'Watching again')
      if (version !== undefined) metrics.watchEnds.inc({ ...labels, cause: endOf(fault) })
      const { progress, waitMs, isFailure } = afterFault(run.progress, fault)
      run.progress = progress
      if (isFailure) options.failed(fault)
      await pause(waitMs, signal)
    }
  }
}

const listAndWatch = async (run: Run): Promise<void> => {
  const { options, progress } = run
  let { version } = progress
  if (version === undefined) {
    version = await list(run)
    run.progress = { ...progress, version }
    if (progress.failures > 0) options.recovered()
    options.listed()
    // One that never receives anything is to be noticed too; later lists are no watch.
    if (!run.isHeard) heard(run)
  }
  await watch(run, version)
}

const list = async ({ options, signal }: Run): Promise<string> => {
  const { client, path, labelSelector, labels, sink, metrics } = options
  const since = sink.now()
  const items: unknown[] = []
  let token: string | undefined
  let page: List
  metrics.lists.inc(labels)
  do {
    const query = { limit: pageSize, continue: token, labelSelector }
    // The loop itself tries again, with a backoff of its own.
    page = await client.request<List>({ method: 'GET', path, query, tries: 1 }, signal)
    for (const item of page.items) items.push(item)
    token = page.metadata.continue
  } while (token)
  guarded(options, () => sink.replace(items, since))
  return page.metadata.resourceVersion
}

const watch = async (run: Run, from: string): Promise<void> => {
  const { options, signal } = run
  const { client, path, labelSelector, sink, watchMs = 45_000 } = options
  // A connection that died without a word looks like one on which nothing happens: where nothing does, some servers
  // send no bookmark for minutes. But they always end a watch when they were asked to, so they are asked to end it soon.
  const timeoutSeconds = Math.ceil((watchMs * (2 + 2 * Math.random())) / 3_000)
  const query = { resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds, labelSelector }
  const events = await client.watch(path, query, timeoutSeconds * 1000 + graceMs, signal)
  const acceptedAt = performance.now()
  run.progress = { ...run.progress, emptyWatches: run.progress.emptyWatches + 1 }
  for await (const { type, object } of events) {
    if (type === 'DELETED') guarded(options, () => sink.gone(object))
    else if (type !== 'BOOKMARK') guarded(options, () => sink.changed(object))
    alive(run, versionOf(object))
  }
  if (performance.now() - acceptedAt > workingAfterMs) alive(run)
  // A server that is about to stop, or a proxy, may accept watches and end them at once, again and again.
  if (run.progress.emptyWatches > 0)
    throw new ApiError({ status: 0, reason: 'Unreachable' }, `WATCH ${path}: it ended at once`)
}

/** There was a sign of life, and perhaps a later version. */
const alive = (run: Run, version = run.progress.version): void => {
  const { recovered } = run.options
  if (run.progress.failures > 0) recovered()
  run.progress = { version, failures: 0, emptyWatches: 0, wasExpired: false }
  heard(run)
}

const heard = (run: Run): void => {
  const { labels, metrics } = run.options
  run.isHeard = true
  metrics.watchReceived.set(labels, Date.now() / 1000)
}

const guarded = ({ log, labels }: ListWatchOptions, work: () => void): void => {
  try {
    work()
  } catch (error) {
    log.error({ ...labels, error }, 'Could not process a watch event')
  }
}

const versionOf = (object: unknown): string | undefined => {
  const version: unknown = Object(Object(object).metadata).resourceVersion
  return typeof version === 'string' && version !== '' ? version : undefined
}
