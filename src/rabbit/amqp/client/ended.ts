/** Why a connection or a channel is over. `text` is one line for people; a code is the broker's own. */
export type End = {
  /** `us`: closed or dropped at our wish. `unreadable`: the peer sent what is not AMQP 0-9-1. */
  readonly by: 'broker' | 'socket' | 'us' | 'unreadable'
  readonly code?: number
  readonly text: string
}

/** What was asked of a connection or a channel that is over, or ended before the answer. */
export class EndedError extends Error {
  override readonly name = 'EndedError'
  readonly of: 'connection' | 'channel'
  readonly end: End

  constructor(of: EndedError['of'], end: End) {
    super(end.text)
    this.of = of
    this.end = end
  }

  /** The broker's code where it refused what was asked, which ends the channel alone. */
  get refusal(): number | undefined {
    return this.of === 'channel' && this.end.by === 'broker' ? this.end.code : undefined
  }
}

/** AMQP 0-9-1 has no room for this. Nothing was sent. */
export class UnencodableError extends Error {
  override readonly name = 'UnencodableError'
}

/** The peer broke the protocol. It ends the connection, and never leaves the client. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/**
 * Why a connection could not be opened.
 *
 * | kind | |
 * | --- | --- |
 * | `user` | the broker refused the user or the password |
 * | `vhost` | the virtual host does not exist, or the user may not use it |
 * | `limit` | the user or the virtual host has as many connections as it may |
 * | `refused` | the broker closed it for another reason: `code` is its own |
 * | `certificate` | the broker's certificate is not trusted |
 * | `not-tls` | TLS was spoken to a port that does not |
 * | `speaks-tls` | the port speaks TLS, and was spoken to without |
 * | `not-amqp` | something else answers there |
 * | `hung-up` | closed before it was open, without a reason |
 * | `unreachable` | no such name, nobody listens, no route: `code` is the system's |
 * | `timeout` | not open in time |
 * | `aborted` | the signal aborted |
 */
export type OpenFailure =
  | 'user'
  | 'vhost'
  | 'limit'
  | 'refused'
  | 'certificate'
  | 'not-tls'
  | 'speaks-tls'
  | 'not-amqp'
  | 'hung-up'
  | 'unreachable'
  | 'timeout'
  | 'aborted'

export class OpenError extends Error {
  override readonly name = 'OpenError'
  readonly kind: OpenFailure
  readonly code: string | number | undefined

  constructor(kind: OpenFailure, message: string, code?: string | number, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.code = code
  }
}
