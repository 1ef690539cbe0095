import { milliseconds } from '../api/duration.ts'
import { kinds } from '../api/kinds.ts'
import { apiVersion } from '../api/resource.ts'
import { startDispatcher } from '../dispatcher/main.ts'
import { startOperator } from '../operator/main.ts'
import { ManifestPathError, openDirectory } from '../store/directory/store.ts'
import { createLog, type Log, type LogLevel } from '../telemetry/log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { ListenError, startServer } from '../telemetry/server.ts'
import { Failure } from './failure.ts'
import { type Entry, lookupOf } from './resolve.ts'

export type RunOptions = {
  readonly file: readonly string[]
  readonly listen: string
  readonly instance: string
  /** How long deliveries in flight may take to end, as a duration. */
  readonly drainTimeout: string
  readonly resolve?: readonly Entry[]
  readonly logLevel?: LogLevel
}

/** Operator and dispatcher in one process, on manifests from files, until SIGTERM or SIGINT and all in flight ended. */
export const run = async (options: RunOptions): Promise<void> => {
  const { file, listen, instance, drainTimeout, resolve = [], logLevel } = options
  const lookup = lookupOf(resolve)
  const log = createLog(logLevel === undefined ? {} : { level: logLevel })
  const stop = stopOnSignal(log)
  // Resources, health and metrics can be read until the last delivery has ended.
  const end = new AbortController()
  const metrics = createMetrics()
  const store = await openDirectory(file, { log }, end.signal).catch(asFailure)
  const parts: { operator?: Part; dispatcher?: Part } = {}
  const { url } = await startServer(
    {
      listen,
      metrics: () => {
        metrics.manifestProblems.set(store.problems().length)
        for (const kind of kinds) metrics.resources.set({ kind: kind.kind }, store.list(kind).length)
        return metrics.registry.metrics()
      },
      readiness: {
        operator: () => parts.operator?.ready() ?? false,
        dispatcher: () => parts.dispatcher?.ready() ?? false,
        'not stopping': () => !stop.aborted,
      },
      apiVersion,
      kinds: kinds.map((kind) => ({ kind: kind.kind, plural: kind.plural, list: () => store.list(kind) })),
    },
    end.signal,
  ).catch(asFailure)
  log.info({ url, instance, files: file }, 'Started')

  parts.operator = startOperator({ store, instance, log, metrics, lookup }, stop)
  parts.dispatcher = startDispatcher(
    { store, log, metrics, allowLoopback: true, drainTimeoutMs: milliseconds(drainTimeout), lookup },
    stop,
  )
  await Promise.all([parts.operator.done, parts.dispatcher.done])
  log.info({}, 'Stopped')
  end.abort()
}

const asFailure = (error: unknown): never => {
  if (error instanceof ManifestPathError || error instanceof ListenError) {
    throw new Failure(error.message, { cause: error })
  }
  throw error
}

type Part = { ready(): boolean; readonly done: Promise<void> }

/** Aborts with the first signal; the second one, or a fault nobody caught, ends the process with 1. */
const stopOnSignal = (log: Log): AbortSignal => {
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(1)
      log.info({ signal: name }, 'Stopping, deliveries in flight are finished first')
      stop.abort()
    })
  }
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(fault, (error: unknown) => {
      log.error({ error }, 'A fault that nobody caught ends Waybill')
      process.exit(1)
    })
  }
  return stop.signal
}
