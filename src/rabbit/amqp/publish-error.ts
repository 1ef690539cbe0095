/**
 * Why a copy is not known to be in a queue. Keep the original: after `lost` the copy may exist nevertheless, and after
 * `timeout` it may still be confirmed; after the others it does not exist, or that is unknown.
 *
 * | kind | |
 * | --- | --- |
 * | `returned` | the exchange has no queue for the routing key |
 * | `refused` | a queue is full or failing, or the broker forbids it (permission, size) |
 * | `missing-exchange` | the exchange does not exist |
 * | `lost` | there is no connection, or it broke before the confirm |
 * | `timeout` | no confirm in time: it is still owed, see {@link PublishError.owed} |
 * | `unencodable` | its headers or its names do not fit AMQP; nothing was sent |
 */
export type PublishFailure = 'returned' | 'refused' | 'lost' | 'timeout' | 'missing-exchange' | 'unencodable'

export class PublishError extends Error {
  override readonly name = 'PublishError'
  readonly kind: PublishFailure
  /**
   * With `timeout`: what becomes of the copy after all. It settles as the publishing itself would have, at the latest when
   * the channel ends; to publish the copy again before is to have it twice.
   */
  readonly owed: Promise<void> | undefined

  constructor(kind: PublishFailure, message: string, options?: ErrorOptions & { readonly owed?: Promise<void> }) {
    super(message, options)
    this.kind = kind
    this.owed = options?.owed
  }
}
