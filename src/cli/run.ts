import { milliseconds } from '../api/duration.ts'
import { type Running, startDispatcher } from '../dispatcher/main.ts'
import { startOperator } from '../operator/main.ts'
import { ManifestPathError, openDirectory } from '../store/directory/store.ts'
import type { LogLevel } from '../telemetry/log.ts'
import { type LocalDataOptions, serveLocalData } from './data/local.ts'
import { Failure } from './failure.ts'
import { startProcess } from './process.ts'
import { type Entry, lookupOf } from './resolve.ts'
import { serve } from './serve.ts'

export type RunOptions = {
  readonly file: readonly string[]
  readonly listen: string
  /** `host:port` or `off`; {@link serveLocalData} says what is done when it is left out. */
  readonly dataListen?: string
  readonly instance: string
  /** How long deliveries in flight may take to end, as a duration. */
  readonly drainTimeout: string
  readonly resolve?: readonly Entry[]
  readonly logLevel?: LogLevel
}

/** Operator and dispatcher in one process, on manifests from files, until SIGTERM or SIGINT and all in flight ended. @throws Failure */
export const run = async (options: RunOptions): Promise<void> => {
  const { file, listen, dataListen, instance, drainTimeout, resolve = [] } = options
  const lookup = lookupOf(resolve)
  const own = startProcess(options, 'operator', 'dispatcher')
  const { log, metrics, stop, end } = own
  metrics.leading.set(1)
  const store = await openDirectory(file, { log }, end.signal).catch((error: unknown) => {
    if (error instanceof ManifestPathError) throw new Failure(error.message, { cause: error })
    throw error
  })
  const parts: { operator?: Part; dispatcher?: Running } = {}
  const { url } = await serve(
    {
      listen,
      store: () => store,
      resources: true,
      measure: () => metrics.manifestProblems.set(store.problems().length),
      readiness: {
        operator: () => parts.operator?.ready() ?? false,
        dispatcher: () => parts.dispatcher?.ready() ?? false,
      },
    },
    own,
  )
  log.info({ url, instance, files: file }, 'Started')
  const history: LocalDataOptions['history'] = (...of) => parts.dispatcher?.history(...of)
  await serveLocalData({ listen: dataListen, store, lookup, history }, own)

  const tracing = await own.tracing('waybill')
  parts.operator = startOperator({ store, instance, log, metrics, tracing, lookup }, stop)
  parts.dispatcher = startDispatcher(
    { store, log, metrics, tracing, allowLoopback: true, drainTimeoutMs: milliseconds(drainTimeout), lookup },
    stop,
  )
  await Promise.all([parts.operator.done, parts.dispatcher.done])
  await own.stopped()
  end.abort()
}

type Part = { ready(): boolean; readonly done: Promise<void> }
