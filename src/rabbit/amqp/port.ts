import type { Copy } from '../../delivery/message/copy.ts'
import type { Message } from '../../delivery/message/message.ts'
import type { Log } from '../../telemetry/log.ts'

/** A broker over AMQP 0-9-1: one connection to consume and one to publish, both kept open until closed. */
export type Amqp = {
  /** Consumes until stopped, through reconnects, deleted and re-created queues and closed channels. */
  consume(options: ConsumeOptions): Consumer
  /**
   * Resolves once the broker confirmed the copy in a queue; always persistent and mandatory.
   *
   * @throws {PublishError}
   */
  publish(copy: Copy): Promise<void>
  /** Calls `listener` with the state, now and after each change; call the returned function to unsubscribe. */
  onState(listener: (state: AmqpState) => void): () => void
  /** Disconnects within 5 s. Unsettled messages are redelivered; unconfirmed copies are `lost`. */
  close(): Promise<void>
}

export type AmqpState = {
  readonly consuming: 'up' | 'down'
  /** `blocked`: the broker is low on memory or disk and takes no messages; publishing waits. */
  readonly publishing: 'up' | 'down' | 'blocked'
  /** Why something is not `up`. */
  readonly reason?: string
}

export type ConsumeOptions = {
  readonly queue: string
  /** Most messages handed out and not settled at a time. */
  readonly prefetch: number
  /** Called for each message, synchronously: a slow call delays all other messages. */
  onDelivery(delivery: Delivery): void
  /** Called when it changes; not after `stop`. */
  onState(state: ConsumerState): void
}

/** A queue with a message that ends the connection it is delivered on, so that it is consumed apart. Times are in ms since 1970. */
export type Unreadable = {
  readonly queue: string
  readonly since: number
  /** What ended the connection: the broker's code and text, where it said any. */
  readonly cause: string
  /** When it is consumed again, or was: it is unreadable until that goes well for a while. */
  readonly againAt: number
}

export type ConsumerState = ConsumerActivity & { readonly unreadable?: Unreadable | undefined }

export type ConsumerActivity =
  | { readonly is: 'consuming'; readonly reason?: undefined }
  | { readonly is: 'waiting'; readonly reason: string }
  /** Nothing is handed out, at its owner's wish. */
  | { readonly is: 'paused'; readonly reason?: undefined }

export type Consumer = {
  /**
   * Hands out nothing more until `resume`, over reconnects too. The consumer is cancelled on the broker, so the messages stay
   * in their queue for other consumers, and state `paused` says that this is done. What was handed out can still be settled.
   * What still arrives is kept unsettled and handed out first after `resume`, because to requeue it would count as a failed
   * delivery. Does nothing where it is paused or stopped.
   */
  pause(): void
  /**
   * Consumes again. Messages from before the pause count among the `prefetch` that are handed out. Does nothing where it is
   * not paused.
   */
  resume(): void
  /** Takes nothing new. Resolves once the broker sends no more, and what came after it was called is back in its queue. */
  cancel(): Promise<void>
  /** Takes nothing new, waits until every delivery handed out is settled or the signal aborts, and sends the acknowledgements. */
  stop(signal?: AbortSignal): Promise<void>
}

/** A message in our hands. Settle it once: `acknowledge` or `requeue`. */
export type Delivery = {
  readonly message: Message
  /**
   * Its channel is closed: the broker redelivers the message. Until then, settling this one only tells what is to be done with
   * that delivery, which takes the place of this one; it is not handed out.
   */
  readonly lost: boolean
  /** It came again because a connection was lost, which this process outlived: it did not end the process. */
  readonly outlived: boolean
  /** Removes the message from its queue. The acknowledgement is sent within milliseconds, in a batch. */
  acknowledge(): void
  /** Back to the head of its queue, at once. The broker counts it as a failed delivery. */
  requeue(): void
}

export type AmqpLog = Pick<Log, 'info' | 'warn' | 'error'>
