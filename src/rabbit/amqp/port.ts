import type { Copy } from '../../delivery/message/copy.ts'
import type { Message } from '../../delivery/message/message.ts'

/** A broker over AMQP 0-9-1: one connection to consume, one to publish, both kept up until closed. */
export type Amqp = {
  /** Consumes until stopped, through reconnects, deleted and re-created queues and closed channels. */
  consume(options: ConsumeOptions): Consumer
  /**
   * Resolves once the broker confirmed the copy in a queue; always persistent and mandatory.
   *
   * @throws {PublishError}
   */
  publish(copy: Copy): Promise<void>
  /** Calls `listener` with the state, now and after each change; returns what stops it. */
  onState(listener: (state: AmqpState) => void): () => void
  /** Leaves the broker, within 5 s. What was not settled is redelivered; what was not confirmed is `lost`. */
  close(): Promise<void>
}

export type AmqpState = {
  readonly consuming: 'up' | 'down'
  /** `blocked`: the broker takes no messages for want of memory or disk; publishing waits. */
  readonly publishing: 'up' | 'down' | 'blocked'
  /** Why something is not `up`. */
  readonly reason?: string
}

export type ConsumeOptions = {
  readonly queue: string
  /** Most messages handed out and not settled at a time. */
  readonly prefetch: number
  /** Called for each message, synchronously: a slow one delays all others. */
  onDelivery(delivery: Delivery): void
  /** Called when it changes; not after `stop`. */
  onState(state: ConsumerState): void
}

export type ConsumerState =
  | { readonly is: 'consuming'; readonly reason?: undefined }
  | { readonly is: 'waiting'; readonly reason: string }

export type Consumer = {
  /** Takes nothing new, waits until every delivery handed out was settled or the signal aborts, and acknowledges. */
  stop(signal?: AbortSignal): Promise<void>
}

/** A message in our hands. Settle it once: `acknowledge` or `requeue`. */
export type Delivery = {
  readonly message: Message
  /** Its channel is gone: the broker redelivers the message, and settling this one does nothing. */
  readonly lost: boolean
  /** The message is dealt with. The broker hears of it within milliseconds, in a batch. */
  acknowledge(): void
  /** Back to the head of its queue, at once. The broker counts it as a failed delivery. */
  requeue(): void
}

/** As much of a logger as is used here. */
export type Log = Readonly<Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>>
