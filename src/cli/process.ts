import { setFlagsFromString } from 'node:v8'
import { createLog, type Log, type LogLevel } from '../telemetry/log.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import { openTracing } from '../tracing/open.ts'
import { version } from './called.ts'

/** What each command that runs until it is stopped has. */
export type Process = {
  readonly log: Log
  readonly metrics: Metrics
  /** Where spans go, if the environment asks for that. */
  tracing(service: string): Promise<Tracing | undefined>
  /** Aborts with the first SIGTERM or SIGINT. */
  readonly stop: AbortSignal
  /** Ends what must outlive the work: the resources, health and metrics. */
  readonly end: AbortController
  /** Sends the last spans, for a limited time, and says that the work is over. */
  stopped(): Promise<void>
}

/** What a process is in the metrics. */
export type Component = 'operator' | 'dispatcher'

/** Starts log and metrics, and listens for signals. The second signal, or an uncaught error, ends the process with 1. */
export const startProcess = (
  { logLevel }: { readonly logLevel?: LogLevel },
  ...components: readonly Component[]
): Process => {
  // Keeps the young generation of the heap as large as loading the program has made it. A thousand changes at once would let
  // V8 take 130 MB for it and keep them; collecting more often instead costs no processor time that could be measured.
  setFlagsFromString('--semi-space-growth-factor=1')
  const log = createLog(logLevel === undefined ? {} : { level: logLevel })
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(1)
      log.info({ signal: name }, 'Shutting down, draining in-flight work')
      stop.abort()
    })
  }
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(fault, (error: unknown) => {
      log.error({ error }, 'Uncaught error, exiting')
      process.exit(1)
    })
  }
  const metrics = createMetrics()
  for (const component of components) metrics.buildInfo.set({ component, version: version(), node: process.version }, 1)
  let tracing: Tracing | undefined
  return {
    ...{ log, metrics, stop: stop.signal, end: new AbortController() },
    async tracing(service) {
      tracing = await openTracing({ service, version: version(), log })
      return tracing
    },
    async stopped() {
      const isSent = (await tracing?.close()) ?? true
      log.info({}, 'Stopped')
      // A request to the collector that hangs keeps nothing else waiting.
      if (!isSent) setTimeout(() => process.exit(), 500).unref()
    },
  }
}
