/** A Secret could not be read, so that it is not known what it holds or whether it exists. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
  /** `forbidden` lasts until somebody grants the permission; `unavailable` may be different at the next try. */
  readonly kind: 'forbidden' | 'unavailable'

  constructor(kind: 'forbidden' | 'unavailable', message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
