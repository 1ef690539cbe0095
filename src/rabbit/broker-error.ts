/** A request to the broker failed. The status code decides the kind; the message is the broker's own reason. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly kind: 'unreachable' | 'credentials' | 'refused' | 'missing' | 'not-empty'

  constructor(kind: BrokerError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
