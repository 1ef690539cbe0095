/** What the broker answered, decided by status code; the message is the broker's own reason. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly kind: 'unreachable' | 'credentials' | 'refused' | 'missing' | 'not-empty'

  constructor(kind: BrokerError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
