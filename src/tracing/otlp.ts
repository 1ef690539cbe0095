import {
  type Attributes,
  type Context,
  createTraceState,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  defaultResource,
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  serviceNameEnvDetector,
} from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { isSampled, pointOf } from '../delivery/message/trace-context.ts'
import type { Log } from '../telemetry/log.ts'
import type { Span, SpanAttributes, SpanStart, Tracing } from '../telemetry/tracing.ts'
import { complaining } from './exporter.ts'
import { samplerOf } from './sampler.ts'

export type TracingOptions = {
  /** `service.name`, where `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` do not say another. */
  readonly service: string
  readonly version: string
  readonly log: Pick<Log, 'info' | 'warn'>
  /** Default: those of the process, which OpenTelemetry's exporter reads too. */
  readonly env?: NodeJS.ProcessEnv
}

/** How long the end of the process waits for the collector. */
const closesWithinMs = 2_000

/** Longer values of attributes are cut: ids and names come from producers. */
const longestValue = 512

/**
 * Spans in batches to a collector, over OTLP with JSON. What the collector does not take is kept in a queue of limited length,
 * and then dropped; nothing waits for it. Nothing is registered globally. @throws where the variables make no sense
 */
export const startTracing = (options: TracingOptions & { readonly env: NodeJS.ProcessEnv }): Tracing => {
  const { env, log, version } = options
  const provider = new TracerProvider({
    sampler: samplerOf(env.OTEL_TRACES_SAMPLER, env.OTEL_TRACES_SAMPLER_ARG),
    resource: resourceOf(options),
    spanLimits: { attributeValueLengthLimit: longestValue },
    spanProcessors: [
      new BatchSpanProcessor({ exporter: complaining(new OTLPTraceExporter(), log), ...batchesOf(env) }),
    ],
  })
  const tracer = provider.getTracer('waybill', version)
  log.info({}, 'Tracing: spans are sent to the collector of the OTEL variables')
  return {
    start: (span) => startSpan(tracer, span),
    async close(withinMs = closesWithinMs) {
      let patience: NodeJS.Timeout | undefined
      const late = new Promise<boolean>((resolve) => {
        patience = setTimeout(resolve, withinMs, false)
      })
      const sent = provider.shutdown().then(
        () => true,
        () => false,
      )
      return Promise.race([sent, late]).finally(() => clearTimeout(patience))
    },
  }
}

const startSpan = (tracer: Tracer, { name, kind, parent, link, at, attributes }: SpanStart): Span => {
  const linked = contextOf(link)
  const links: Link[] = linked ? [{ context: linked }] : []
  const within = contextOf(parent?.traceparent, parent?.tracestate)
  const context: Context = within ? trace.setSpanContext(ROOT_CONTEXT, within) : ROOT_CONTEXT
  const kindOf = kind === 'consumer' ? SpanKind.CONSUMER : SpanKind.INTERNAL
  const span = tracer.startSpan(name, { kind: kindOf, startTime: at, links }, context)
  // No sampler of ours reads them, and most spans of a busy system are not sampled.
  if (span.isRecording()) span.setAttributes(set(attributes()))
  const { traceId, spanId, traceFlags, traceState } = span.spanContext()
  const flags = traceFlags.toString(16).padStart(2, '0')
  return {
    context: { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: traceState?.serialize() || undefined },
    isRecorded: span.isRecording(),
    end(endedAt, more, error) {
      if (!span.isRecording()) return
      span.setAttributes(set(more()))
      if (error !== undefined) span.setAttribute('error.type', error).setStatus({ code: SpanStatusCode.ERROR })
      span.end(endedAt)
    },
  }
}

const contextOf = (traceparent: string | undefined, tracestate?: string): SpanContext | undefined => {
  const point = pointOf(traceparent)
  if (point === undefined) return undefined
  const { traceId, spanId } = point
  const state = tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }
  return { traceId, spanId, traceFlags: isSampled(point) ? 1 : 0, isRemote: true, ...state }
}

const set = (attributes: SpanAttributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) as Attributes

const resourceOf = ({ service, version }: TracingOptions): Resource =>
  defaultResource()
    .merge(resourceFromAttributes({ 'service.name': service, 'service.version': version }))
    .merge(
      detectResources({
        detectors: [serviceInstanceIdDetector, resourceAttributesEnvDetector, serviceNameEnvDetector],
      }),
    )

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#batch-span-processor */
const batchesOf = (env: NodeJS.ProcessEnv) => ({
  ...numberOf('scheduledDelayMillis', env.OTEL_BSP_SCHEDULE_DELAY),
  ...numberOf('exportTimeoutMillis', env.OTEL_BSP_EXPORT_TIMEOUT),
  ...numberOf('maxQueueSize', env.OTEL_BSP_MAX_QUEUE_SIZE),
  ...numberOf('maxExportBatchSize', env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE),
})

const numberOf = (name: string, text: string | undefined): Readonly<Record<string, number>> => {
  const value = Number(text?.trim() || Number.NaN)
  return Number.isInteger(value) && value > 0 ? { [name]: value } : {}
}
