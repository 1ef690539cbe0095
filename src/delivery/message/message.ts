/**
 * A message as the AMQP client hands it to a consumer. Nothing is copied from it, so its buffers are the client's.
 * A long string that is not UTF-8 arrives with U+FFFD in place of what could not be decoded, a byte array as a Buffer,
 * a timestamp as `{ '!': 'timestamp', value }` in seconds.
 */
export type Message = {
  readonly content: Buffer
  readonly fields: {
    readonly exchange: string
    readonly routingKey: string
    readonly redelivered: boolean
  }
  readonly properties: Properties
}

/** A header table. Its values may be anything: the producer wrote them. */
export type Headers = Readonly<Record<string, unknown>>

/** The properties of AMQP 0-9-1 `basic`; those that a message does not have are `undefined`. */
export type Properties = {
  readonly headers?: Headers | undefined
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly deliveryMode?: number | undefined
  readonly priority?: number | undefined
  readonly correlationId?: string | undefined
  readonly replyTo?: string | undefined
  readonly expiration?: string | undefined
  readonly messageId?: string | undefined
  /** Seconds since 1970. */
  readonly timestamp?: number | undefined
  readonly type?: string | undefined
  readonly userId?: string | undefined
  readonly appId?: string | undefined
}
