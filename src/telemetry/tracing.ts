/** The values of attributes. None is a secret, a header of a message or its body. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>

/** Where something belongs in a trace, as W3C Trace Context has it. */
type TraceContext = { readonly traceparent: string; readonly tracestate?: string | undefined }

/** Times are in ms since 1970. */
export type SpanStart = {
  /** What happens, with few different names. */
  readonly name: string
  /** Default: it is something that the process does by itself. */
  readonly kind?: 'consumer'
  /** What it is a part of; whether it is sampled follows from that. Left out or not valid, it begins a trace. */
  readonly parent?: TraceContext | undefined
  /** The `traceparent` of what came before it. */
  readonly link?: string | undefined
  readonly at: number
  /** Asked for where the span is recorded. */
  readonly attributes: () => SpanAttributes
}

export type Span = {
  /** Its place in its trace, for what is done on its behalf elsewhere. */
  readonly context: TraceContext
  /** Whether it is sampled, so that it will be sent. */
  readonly isRecorded: boolean
  /** `error` is the class of what went wrong, one of few. The attributes are asked for where the span is recorded. */
  end(at: number, attributes: () => SpanAttributes, error?: string): void
}

/** Where spans are collected. There is none where nobody asked for it, and then nothing is done for it. */
export type Tracing = {
  start(span: SpanStart): Span
  /** Sends what is left, for at most `withinMs`. Resolves to whether all that was left is sent. Never rejects. */
  close(withinMs?: number): Promise<boolean>
}
