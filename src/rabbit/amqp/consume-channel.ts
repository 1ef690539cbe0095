import { pause } from '../../async/abort.ts'
import type { Message } from '../../delivery/message/message.ts'
import { Properties } from '../../delivery/message/properties.ts'
import { Acknowledgements, type Holding } from './acknowledgements.ts'
import type { Channel, Delivered } from './client/channel.ts'
import { acknowledge, reject, setPrefetch, startConsuming, stopConsuming } from './client/operations.ts'
import type { Wire } from './client/wire.ts'
import type { Delivery } from './port.ts'

/** Receives the messages of one consumer on a channel. */
export type Receiver = {
  readonly holding: Holding
  onDelivery(delivery: Delivery): void
  /** The consumer has ended: the broker cancelled it, or the channel is closed. */
  onEnd(reason: string): void
}

const flushAfterMs = 3

// The broker has at most 32 settlements for a quorum queue under way at a time. The others wait in the channel and are
// dropped silently when it closes: acknowledged messages are delivered again (tried on 3.10.8 and 4.3.6).
const quietBeforeCloseMs = 200

/** A channel to consume on, for one consumer or several. It ends with its connection, or by a fault of any consumer. */
export class ConsumeChannel {
  readonly #channel: Channel
  readonly #owed = new Acknowledgements<ChannelDelivery>()
  readonly #receivers = new Map<string, Receiver>()
  readonly #closed = Promise.withResolvers<void>()
  readonly #end = new AbortController()
  #closing: Promise<void> | undefined
  #isRetired = false
  #lastSentMs = Number.NEGATIVE_INFINITY
  #tags = 0
  #timer: NodeJS.Timeout | undefined

  /** @throws {EndedError} */
  static async open(wire: Wire): Promise<ConsumeChannel> {
    const made = new ConsumeChannel(wire)
    await made.#channel.opened
    return made
  }

  private constructor(wire: Wire) {
    this.#channel = wire.newChannel({
      delivered: (delivered) => this.#deliver(delivered.consumerTag, delivered),
      cancelled: (consumerTag) => this.#cancelled(consumerTag),
      ended: ({ text }) => this.#ended(text),
    })
  }

  get isClosed(): boolean {
    return this.#end.signal.aborted
  }

  /** Resolves once the channel is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Starts a consumer; returns its tag. The queue must exist, else the broker closes the channel for all its consumers. */
  async consume(queue: string, receiver: Receiver): Promise<string> {
    const consumerTag = `waybill-${++this.#tags}`
    this.#receivers.set(consumerTag, receiver)
    try {
      // Sent back to back: a prefetch counts for the consumers after it, and no other one may come in between.
      await Promise.all([
        setPrefetch(this.#channel, receiver.holding.prefetch),
        startConsuming(this.#channel, queue, consumerTag),
      ])
      return consumerTag
    } catch (error) {
      this.#receivers.delete(consumerTag)
      throw error
    }
  }

  /** Has the broker stop a consumer. What was on its way still reaches the receiver, until {@link forget}. */
  async cancel(consumerTag: string): Promise<void> {
    if (!this.#receivers.has(consumerTag) || this.isClosed) return
    // It fails only when the channel ends, and the consumer with it.
    await stopConsuming(this.#channel, consumerTag).catch(() => undefined)
  }

  /** What still arrives for this consumer goes back to its queue. */
  forget(consumerTag: string): void {
    this.#receivers.delete(consumerTag)
  }

  acknowledge(delivery: ChannelDelivery): void {
    if (this.isClosed || delivery.state !== 'open') return
    this.#owed.settle(delivery)
    if (delivery.holding.isDue) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), flushAfterMs)
  }

  requeue(delivery: ChannelDelivery): void {
    if (this.isClosed || delivery.state !== 'open') return
    this.#owed.remove(delivery)
    this.#requeue(delivery.deliveryTag)
    this.#closeIfDone()
  }

  /** Sends the acknowledgements of all messages settled so far. */
  flush(): void {
    this.#flush()
    this.#closeIfDone()
  }

  /** Takes no more consumers, and closes once every message was settled. */
  retire(): void {
    this.#isRetired = true
    this.#closeIfDone()
  }

  /** Closes the channel in order: the broker has processed the acknowledgements when it resolves. Unsettled messages are requeued. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#flush()
    for (;;) {
      const waitMs = this.#lastSentMs + quietBeforeCloseMs - performance.now()
      if (waitMs <= 0 || this.isClosed) break
      await pause(waitMs, this.#end.signal)
    }
    await this.#channel.close()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.isClosed) return
    this.#owed.flush(({ deliveryTag }, upTo) => {
      this.#lastSentMs = performance.now()
      acknowledge(this.#channel, deliveryTag, upTo)
    })
  }

  #requeue(deliveryTag: number): void {
    this.#lastSentMs = performance.now()
    reject(this.#channel, deliveryTag, true)
  }

  #deliver(consumerTag: string, delivered: Delivered): void {
    const receiver = this.#receivers.get(consumerTag)
    if (receiver === undefined) {
      // Quorum queues may deliver after the broker confirmed a cancel.
      this.#requeue(delivered.deliveryTag)
      return
    }
    const delivery = new ChannelDelivery(delivered, this, receiver.holding)
    this.#owed.add(delivery)
    receiver.onDelivery(delivery)
  }

  #cancelled(consumerTag: string): void {
    const receiver = this.#receivers.get(consumerTag)
    this.#receivers.delete(consumerTag)
    receiver?.onEnd(
      'the broker cancelled the consumer: its queue was deleted or moved, or a message was unacknowledged for too long',
    )
  }

  #closeIfDone(): void {
    if (this.#isRetired && this.#owed.isEmpty) void this.close()
  }

  #ended(reason: string): void {
    this.#end.abort()
    clearTimeout(this.#timer)
    this.#owed.abandon()
    const receivers = [...this.#receivers.values()]
    this.#receivers.clear()
    this.#closed.resolve()
    for (const receiver of receivers) receiver.onEnd(reason)
  }
}

/** One message that was delivered on one channel. */
class ChannelDelivery implements Delivery {
  readonly message: Message
  readonly deliveryTag: number
  readonly holding: Holding
  state: 'open' | 'settled' | 'sent' = 'open'
  previous: ChannelDelivery | undefined = undefined
  next: ChannelDelivery | undefined = undefined
  readonly #channel: ConsumeChannel

  constructor(delivered: Delivered, channel: ConsumeChannel, holding: Holding) {
    const { content, properties, exchange, routingKey, redelivered } = delivered
    this.message = { content, fields: { exchange, routingKey, redelivered }, properties: new Properties(properties) }
    this.deliveryTag = delivered.deliveryTag
    this.#channel = channel
    this.holding = holding
  }

  get lost(): boolean {
    return this.#channel.isClosed
  }

  acknowledge(): void {
    this.#channel.acknowledge(this)
  }

  requeue(): void {
    this.#channel.requeue(this)
  }
}
