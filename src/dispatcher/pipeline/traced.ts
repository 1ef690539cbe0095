import type { Attempt } from '../../delivery/attempt/attempt.ts'
import { type Outcome, reasonOf } from '../../delivery/attempt/outcome.ts'
import { traceOf } from '../../delivery/attempt/request.ts'
import type { Decision } from '../../delivery/decide.ts'
import { attributeNamed, type CloudEvent, type Unparsable } from '../../delivery/event/cloud-event.ts'
import type { History } from '../../delivery/message/history.ts'
import type { Message } from '../../delivery/message/message.ts'
import { isSampled, pointOf, type TraceContext } from '../../delivery/message/trace-context.ts'
import type { Span, SpanAttributes, Tracing } from '../../telemetry/tracing.ts'
import type { Route } from './route.ts'

/** What is tried: a message for a subscription, and the event that it is, or why it is none. */
export type Tried = {
  readonly route: Pick<Route, 'id' | 'queue'>
  readonly message: Message
  readonly event: CloudEvent | Unparsable
  readonly attempt: Attempt
}

/**
 * Begins the span of an attempt: part of the trace of the event, else of that of the attempt before it, to which it is
 * linked. What it waited since then is a span too.
 * https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#span-kind
 */
export const startAttempt = (tracing: Tracing, tried: Tried): Span => {
  const { route, event, attempt } = tried
  const { history, begunAt, number } = attempt
  const parent = parentOf(event, history)
  const before = pointOf(history.trace)
  const link = before && isSampled(before) ? history.trace : undefined
  const name = `process ${route.queue}`
  const attributes = () => attributesOf(tried)
  const span = tracing.start({ name, kind: 'consumer', parent, link, at: begunAt, attributes })
  const { lastAttempt } = history
  // Parts of one trace are sampled alike; where there is none, each begins its own.
  const mayWait = span.isRecorded || parent === undefined
  if (mayWait && lastAttempt !== undefined && number > 1) {
    const known = { 'waybill.subscription': route.id, 'waybill.attempt': number }
    const at = Math.min(lastAttempt, begunAt)
    tracing.start({ name: `wait ${route.queue}`, parent, link, at, attributes: () => known }).end(begunAt, () => ({}))
  }
  return span
}

/** Ends the span of an attempt with what became of it. */
export const endAttempt = (span: Span, outcome: Outcome, decision: Decision, endedAt: number): void => {
  const attributes = (): SpanAttributes => ({
    'http.response.status_code': 'status' in outcome ? outcome.status : undefined,
    'waybill.outcome': outcomes[decision.do],
    'waybill.retry.delay_ms': decision.do === 'retry' ? Math.round(decision.delayMs) : undefined,
    'waybill.dead_letter.reason': decision.do === 'dead-letter' ? decision.reason : undefined,
  })
  span.end(endedAt, attributes, errorOf(outcome))
}

/** As the metric of attempts names them. */
const outcomes: Readonly<Record<Decision['do'], string>> = {
  acknowledge: 'delivered',
  retry: 'retried',
  'dead-letter': 'dead_lettered',
  suspend: 'requeued',
  requeue: 'requeued',
  postpone: 'postponed',
  isolate: 'isolated',
}

/** The status code, or why there was none. */
const errorOf = (outcome: Outcome): string | undefined => {
  if (outcome.kind === 'delivered') return undefined
  return outcome.kind === 'answered' ? String(outcome.status) : reasonOf(outcome)
}

const parentOf = (event: CloudEvent | Unparsable, { trace }: History): TraceContext | undefined => {
  const own = 'unparsable' in event ? undefined : traceOf(event)
  if (own && pointOf(own.traceparent)) return own
  return trace === undefined ? undefined : { traceparent: trace }
}

const attributesOf = ({ route, message, event, attempt }: Tried): SpanAttributes => {
  const { routingKey } = attempt.history
  return {
    'messaging.system': 'rabbitmq',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': destinationOf(route.queue, attempt.history),
    'messaging.rabbitmq.destination.routing_key': routingKey || undefined,
    'messaging.message.id': message.properties.messageId || undefined,
    'messaging.message.body.size': message.content.length,
    ...('unparsable' in event ? {} : eventAttributes(event)),
    'waybill.subscription': route.id,
    'waybill.attempt': attempt.number,
    'waybill.replays': attempt.history.replayed?.times,
  }
}

/**
 * Exchange, routing key and queue, without what is empty or said twice.
 * https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/
 */
const destinationOf = (queue: string, { exchange, routingKey }: History): string =>
  [exchange, routingKey === queue ? '' : routingKey, queue].filter(Boolean).join(':')

/** https://opentelemetry.io/docs/specs/semconv/cloudevents/cloudevents-spans/ */
const eventAttributes = (event: CloudEvent): SpanAttributes => ({
  'cloudevents.event_id': event.id,
  'cloudevents.event_source': event.source,
  'cloudevents.event_spec_version': '1.0',
  'cloudevents.event_type': attributeNamed(event, 'type'),
})
