import type { Headers } from './headers.ts'

/** Where something belongs in a trace, as two headers say it. https://www.w3.org/TR/trace-context/ */
export type TraceContext = { readonly traceparent: string; readonly tracestate?: string | undefined }

/** What a `traceparent` names: a trace, a span in it, and whether that is sampled. */
export type TracePoint = { readonly traceId: string; readonly spanId: string; readonly flags: number }

const format = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** `undefined` where the text is no `traceparent`. One of a later version is read as far as this one knows it. */
export const pointOf = (traceparent: string | undefined): TracePoint | undefined => {
  const [, version, traceId = '', spanId = '', flags = '', more] = format.exec(traceparent ?? '') ?? []
  if (version === undefined || (version === '00' && more !== undefined)) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16) }
}

export const isSampled = ({ flags }: TracePoint): boolean => (flags & 1) === 1

const carriers = [
  'traceparent',
  'cloudEvents:traceparent',
  'cloudEvents_traceparent',
  'ce-traceparent',
  'ce_traceparent',
]

/** Fields of a log line: an attempt's own `traceparent`, else what the headers of the message name; it is not read as an event. */
export const traceFields = (
  trace: string | undefined,
  headers: Headers | undefined,
): Readonly<Record<string, string>> => {
  for (const text of [trace, ...carriers.map((name) => headers?.text(name))]) {
    const point = pointOf(text)
    if (point) return { traceId: point.traceId, spanId: point.spanId }
  }
  return {}
}
