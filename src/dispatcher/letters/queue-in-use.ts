/** Somebody else consumes a dead-letter queue, or has messages of it in hand: what it holds cannot be counted. */
export class QueueInUseError extends Error {
  override readonly name = 'QueueInUseError'

  constructor(queue: string) {
    super(`somebody else consumes ${queue}, or has messages of it in hand`)
  }
}
