import { identityOf } from '../../../delivery/message/identity.ts'
import type { Message } from '../../../delivery/message/message.ts'
import type { Fate, MessageKey } from '../../losses/again.ts'
import type { Delivered } from '../client/channel.ts'
import type { Delivery } from '../port.ts'
import type { Holding, Unacknowledged } from './acknowledgements.ts'
import { messageOf } from './message-of.ts'

/** What a delivery needs of its channel. */
type Home = {
  readonly isClosed: boolean
  acknowledge(delivery: ChannelDelivery): void
  requeue(delivery: ChannelDelivery): void
}

/** What becomes of a delivery after its channel was lost. The message itself is not kept for longer than somebody works on it. */
export type LostFate = { is: Fate['is']; delivery: ChannelDelivery | undefined }

/** One message that was delivered on one channel; when that is lost, another delivery of it may take its place. */
export class ChannelDelivery implements Delivery, MessageKey, Unacknowledged<ChannelDelivery> {
  readonly message: Message
  readonly deliveryTag: number
  readonly queue: string
  readonly holding: Holding
  /** In bytes. */
  readonly size: number
  state: 'open' | 'settled' | 'sent' = 'open'
  previous: ChannelDelivery | undefined = undefined
  next: ChannelDelivery | undefined = undefined
  /** Whether somebody works on it, or has. */
  isHandedOut = false
  outlived = false
  readonly #channel: Home
  #fate: LostFate | undefined
  #successor: ChannelDelivery | undefined

  constructor(
    delivered: Delivered,
    channel: Home,
    { queue, holding }: { readonly queue: string; readonly holding: Holding },
  ) {
    this.message = messageOf(delivered)
    this.deliveryTag = delivered.deliveryTag
    this.size = delivered.content.length + delivered.properties.length
    this.#channel = channel
    this.queue = queue
    this.holding = holding
  }

  get lost(): boolean {
    return this.#successor?.lost ?? this.#channel.isClosed
  }

  acknowledge(): void {
    if (this.#successor) this.#successor.acknowledge()
    else if (this.#channel.isClosed) this.#isOver('done')
    else this.#channel.acknowledge(this)
  }

  requeue(): void {
    if (this.#successor) this.#successor.requeue()
    else if (this.#channel.isClosed) this.#isOver('back')
    else this.#channel.requeue(this)
  }

  bytes(): readonly Uint8Array[] {
    return identityOf(this.message)
  }

  /** Begins when its channel is lost, and changes with what is done to it. */
  fate(): LostFate {
    const is = this.state === 'open' ? (this.isHandedOut ? 'open' : 'back') : 'done'
    this.#fate = { is, delivery: is === 'open' ? this : undefined }
    return this.#fate
  }

  /** From now on, what is done to this one is done to the other one. */
  succeededBy(successor: ChannelDelivery): void {
    successor.isHandedOut = true
    this.#successor = successor
  }

  #isOver(is: Fate['is']): void {
    if (this.#fate?.is === 'open') Object.assign(this.#fate, { is, delivery: undefined })
  }
}
