/**
 * A request to the broker failed; the message says which, and what to do. By kind:
 *
 * - `unreachable`: no answer, or none that RabbitMQ gives; nothing else can be asked either
 * - `tls`: there is an answer, but no trust
 * - `credentials`: the user or its password are wrong
 * - `refused`: the broker answered no, and says why
 * - `failed`: the broker answered that it cannot (5xx); what else it is asked may succeed
 * - `missing`: the object does not exist
 * - `not-empty`: the queue holds messages
 */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly kind: 'unreachable' | 'tls' | 'credentials' | 'refused' | 'failed' | 'missing' | 'not-empty'

  constructor(kind: BrokerError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
