import type { SpanExporter } from '@opentelemetry/sdk-trace'
import type { Log } from '../telemetry/log.ts'

const quietMs = 60_000

/** The exporter, and a log line for what it could not send: at most one a minute, and its spans are lost. */
export const complaining = (exporter: SpanExporter, log: Pick<Log, 'warn'>): SpanExporter => {
  let lost = 0
  let saidAt = Number.NEGATIVE_INFINITY

  const complain = (spans: number, error: Error | undefined): void => {
    lost += spans
    const now = performance.now()
    if (now - saidAt < quietMs) return
    saidAt = now
    log.warn({ spans: lost, reason: reasonOf(error) }, 'Could not send spans to the collector, they are lost')
    lost = 0
  }

  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code !== 0) complain(spans.length, result.error)
        done(result)
      })
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  }
}

/** One line; of several errors, as for the addresses of one name, the first. */
const reasonOf = (error: Error | undefined): string => {
  const [first] = error instanceof AggregateError ? error.errors : []
  return (first ?? error)?.message?.slice(0, 200) || 'unknown'
}
