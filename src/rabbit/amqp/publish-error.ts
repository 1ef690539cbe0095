/**
 * Why a copy is not known to be in a queue. Keep the original: after `lost` and `timeout` the copy may exist nevertheless,
 * after the others it does not, or that is unknown.
 *
 * | kind | |
 * | --- | --- |
 * | `returned` | the exchange has no queue for the routing key |
 * | `refused` | a queue is full or failing, or the broker forbids it (permission, size) |
 * | `missing-exchange` | the exchange does not exist |
 * | `lost` | there is no connection, or it broke before the confirm |
 * | `timeout` | no confirm in time |
 * | `unencodable` | its headers do not fit AMQP; nothing was sent |
 */
export type PublishFailure = 'returned' | 'refused' | 'lost' | 'timeout' | 'missing-exchange' | 'unencodable'

export class PublishError extends Error {
  override readonly name = 'PublishError'
  readonly kind: PublishFailure

  constructor(kind: PublishFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
