import { pause } from '../../async/abort.ts'
import { momentsOf } from '../../async/effects.ts'
import type { Channel, Delivered } from './client/channel.ts'
import type { End } from './client/ended.ts'
import { acknowledge, reject, setPrefetch, startConsuming, stopConsuming } from './client/operations.ts'
import type { Wire } from './client/wire.ts'
import { Acknowledgements, type Holding } from './deliveries/acknowledgements.ts'
import type { BytesInHand } from './deliveries/bytes-in-hand.ts'
import { ChannelDelivery } from './deliveries/channel-delivery.ts'
import type { DeliveryMemory } from './deliveries/delivery-memory.ts'
import { Recent } from './deliveries/recent.ts'

/** Receives the messages of one consumer on a channel. */
export type Receiver = {
  readonly queue: string
  readonly holding: Holding
  /** Most messages that the broker sends before it has an acknowledgement. */
  readonly prefetch: number
  onDelivery(delivery: ChannelDelivery): void
  /**
   * The consumer has ended: the broker cancelled it, or the channel is closed. `isLate`: most likely because it had a message
   * for longer than the broker allows.
   */
  onEnd(reason: string, isLate: boolean): void
}

const taken = momentsOf('message-taken')
const acknowledged = momentsOf('message-acknowledged')
const requeued = momentsOf('message-requeued')

const flushAfterMs = 3

// The broker has at most 32 settlements for a quorum queue under way at a time. The others wait in the channel and are
// dropped silently when it closes: acknowledged messages are delivered again (tried on 3.10.8 and 4.3.6).
const quietBeforeCloseMs = 200

/** A channel to consume on, for one consumer or several. It ends with its connection, or by a fault of any consumer. */
export class ConsumeChannel {
  readonly #channel: Channel
  readonly #owed = new Acknowledgements<ChannelDelivery>()
  readonly #recent = new Recent<ChannelDelivery>()
  readonly #memory: DeliveryMemory
  readonly #wire: Wire
  readonly #inHand: BytesInHand
  readonly #receivers = new Map<string, Receiver>()
  readonly #closed = Promise.withResolvers<void>()
  readonly #end = new AbortController()
  #closing: Promise<void> | undefined
  #isRetired = false
  #lastSentMs = Number.NEGATIVE_INFINITY
  #tags = 0
  #timer: NodeJS.Timeout | undefined

  /** @throws {EndedError} */
  static async open(wire: Wire, memory: DeliveryMemory, inHand: BytesInHand): Promise<ConsumeChannel> {
    const made = new ConsumeChannel(wire, memory, inHand)
    await made.#channel.opened
    return made
  }

  private constructor(wire: Wire, memory: DeliveryMemory, inHand: BytesInHand) {
    this.#memory = memory
    this.#wire = wire
    this.#inHand = inHand
    this.#channel = wire.newChannel({
      delivered: (delivered) => this.#deliver(delivered.consumerTag, delivered),
      cancelled: (consumerTag) => this.#cancelled(consumerTag),
      ended: (end) => this.#ended(end),
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
  async consume(receiver: Receiver): Promise<string> {
    const consumerTag = `waybill-${++this.#tags}`
    this.#receivers.set(consumerTag, receiver)
    try {
      // Sent back to back: a prefetch counts for the consumers after it, and no other one may come in between.
      await Promise.all([
        setPrefetch(this.#channel, receiver.prefetch),
        startConsuming(this.#channel, receiver.queue, consumerTag),
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
    this.#inHand.remove(delivery.size)
    this.#recent.add(delivery)
    if (delivery.holding.isDue) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), flushAfterMs)
  }

  requeue(delivery: ChannelDelivery): void {
    if (this.isClosed || delivery.state !== 'open') return
    this.#owed.remove(delivery)
    this.#inHand.remove(delivery.size)
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
      acknowledged.before.publish(undefined)
      acknowledge(this.#channel, deliveryTag, upTo)
      acknowledged.after.publish(undefined)
    })
  }

  #requeue(deliveryTag: number): void {
    this.#lastSentMs = performance.now()
    requeued.before.publish(undefined)
    reject(this.#channel, deliveryTag, true)
    requeued.after.publish(undefined)
  }

  #deliver(consumerTag: string, delivered: Delivered): void {
    const receiver = this.#receivers.get(consumerTag)
    if (receiver === undefined) {
      // Quorum queues may deliver after the broker confirmed a cancel.
      this.#requeue(delivered.deliveryTag)
      return
    }
    const delivery = new ChannelDelivery(delivered, this, receiver)
    this.#owed.add(delivery)
    this.#inHand.add(delivery.size, this.#wire)
    if (this.#memory.hasProcessed(delivery)) return
    taken.before.publish(undefined)
    receiver.onDelivery(delivery)
    taken.after.publish(undefined)
  }

  #cancelled(consumerTag: string): void {
    const receiver = this.#receivers.get(consumerTag)
    this.#receivers.delete(consumerTag)
    const isLate = this.#owed.all().some(({ holding, state }) => holding === receiver?.holding && state === 'open')
    receiver?.onEnd('the broker cancelled the consumer: its queue was deleted or moved', isLate)
    if (!isLate) return
    // RabbitMQ 4.3 has taken its messages back, and closes the channel when one of them is acknowledged.
    this.#ended({ by: 'broker', text: 'the broker took messages back from another consumer on the channel' })
    void this.#channel.close()
  }

  #closeIfDone(): void {
    if (this.#isRetired && this.#owed.isEmpty) void this.close()
  }

  #ended(end: End): void {
    if (this.isClosed) return
    this.#end.abort()
    clearTimeout(this.#timer)
    const owed = this.#owed.all()
    // At our own wish it ends when all is settled, and the broker has it.
    if (end.by !== 'us') this.#memory.lost(owed, this.#recent.all())
    const late = isTimeout(end) ? owed.find(({ state }) => state === 'open')?.holding : undefined
    for (const { state, size } of owed) if (state === 'open') this.#inHand.remove(size)
    this.#owed.abandon()
    const receivers = [...this.#receivers.values()]
    this.#receivers.clear()
    this.#closed.resolve()
    for (const receiver of receivers) receiver.onEnd(end.text, receiver.holding === late)
  }
}

/** Before 4.3 the broker closes the channel on which a message was unacknowledged for too long: the oldest one there. */
const isTimeout = ({ code, text }: End): boolean => code === 406 && text.includes('delivery acknowledgement')
