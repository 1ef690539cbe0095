import { hash } from 'node:crypto'
import { type AttributeValue, headerValue, isHeaderText } from '../event/attribute.ts'
import { attributeNamed, type CloudEvent } from '../event/cloud-event.ts'
import { binaryOf, structuredOf } from '../event/content-mode.ts'
import { eventFormat } from '../event/structured-event.ts'
import type { TraceContext } from '../message/trace-context.ts'
import type { Target } from './target.ts'

/** A request, as undici dispatches it. */
export type Request = {
  readonly method: 'POST'
  readonly path: string
  /** Name, value, name, value, …; printable ASCII only. */
  readonly headers: string[]
  readonly body: Buffer
}

/**
 * The request that delivers an event. `attempt` counts from 1; `trace` is its own place in a trace, where it has one: else
 * that of the event is passed on.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
export const toRequest = (
  event: CloudEvent,
  target: Target,
  attempt: number,
  trace: TraceContext | undefined = traceOf(event),
): Request => {
  const headers = target.headers.slice()
  headers.push('webhook-id', webhookId(event.id, event.source), 'waybill-attempt', String(attempt))
  if (trace !== undefined) {
    headers.push('traceparent', trace.traceparent)
    if (trace.tracestate !== undefined) headers.push('tracestate', trace.tracestate)
  }
  const body = target.contentMode === 'Binary' ? binary(headers, event) : structured(headers, event)
  return { method: 'POST', path: target.path, headers, body }
}

const binary = (headers: string[], event: CloudEvent): Buffer => {
  const { attributes, contentType, contentEncoding, body } = event.mode === 'binary' ? event : binaryOf(event)
  for (let at = 0; at < attributes.length; at += 2) {
    headers.push(`ce-${attributes[at]}`, headerValue(attributes[at + 1] as AttributeValue))
  }
  if (contentType !== undefined) headers.push('content-type', contentType)
  if (contentEncoding !== undefined) headers.push('content-encoding', contentEncoding)
  return body
}

const structured = (headers: string[], event: CloudEvent): Buffer => {
  if (event.mode === 'structured') {
    headers.push('content-type', event.contentType)
    return event.body
  }
  headers.push('content-type', `${eventFormat}; charset=utf-8`)
  return structuredOf(event)
}

/**
 * The same for every attempt to deliver an event and different for any other event, so that a subscriber can recognise a
 * repetition: CloudEvents guarantees that source and id together are unique. Standard Webhooks signs `id.timestamp.body`, so
 * it must not contain a dot, nor any other character with a meaning.
 */
const webhookId = (id: string, source: string): string =>
  /^[A-Za-z0-9_-]{1,128}$/.test(id)
    ? `${id}_${mark(source)}`
    : hash('sha256', JSON.stringify([source, id]), 'base64url')

const mark = (source: string): string => {
  if (source !== marked.source) marked = { source, mark: hash('sha256', source, 'base64url').slice(0, 12) }
  return marked.mark
}

/** Most subscriptions receive from one source most of the time. */
let marked = { source: '', mark: '' }

/** W3C Trace Context, from the AMQP headers or CloudEvents' distributed tracing extension. Whether it is valid is not asked. */
export const traceOf = (event: CloudEvent): TraceContext | undefined => {
  const traceparent = event.headers?.text('traceparent') ?? attributeNamed(event, 'traceparent')
  if (!isHeaderText(traceparent)) return undefined
  const tracestate = event.headers?.text('tracestate') ?? attributeNamed(event, 'tracestate')
  return { traceparent, tracestate: isHeaderText(tracestate) ? tracestate : undefined }
}
