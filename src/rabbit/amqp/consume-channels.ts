import type { Wire } from './client/wire.ts'
import { ConsumeChannel } from './consume-channel.ts'
import type { BytesInHand } from './deliveries/bytes-in-hand.ts'
import type { DeliveryMemory } from './deliveries/delivery-memory.ts'

/** A consumer's place on a channel. */
export type Place = {
  readonly channel: ConsumeChannel
  /** Gives up the place. The channel closes with the last one, once its messages are settled. */
  leave(): void
}

export type ConsumeChannels = {
  /** A place beside other consumers, or `alone` for a consumer that may bring its channel down. */
  take(wire: Wire, alone: boolean): Promise<Place>
  /** Resolves once no channel of this connection is left. */
  left(wire: Wire): Promise<void>
  /** Closes all channels in order: every acknowledgement has reached the broker when it resolves. */
  close(): Promise<void>
}

// A channel of its own protects a consumer from the faults of others and batches its acknowledgements best, but a thousand
// channels cost the broker 38 MiB where a thousand consumers on one channel cost 3 MiB.
const ownChannels = 64
const consumersPerChannel = 10
const mostChannels = 1_000

type Slot = { readonly wire: Wire; load: number; isShared: boolean; readonly channel: Promise<ConsumeChannel> }

/** Spreads consumers over channels: one each at first, then about ten to a channel, the least loaded first. */
export const consumeChannels = (memory: DeliveryMemory, inHand: BytesInHand): ConsumeChannels => {
  const slots = new Set<Slot>()
  const left = new Map<Wire, PromiseWithResolvers<void>>()

  const choose = (wire: Wire, alone: boolean): Slot => {
    const least = alone || slots.size < ownChannels ? undefined : leastLoaded(slots, wire)
    if (least && (least.load < consumersPerChannel || slots.size >= mostChannels)) return least
    const slot = { wire, load: 0, isShared: !alone, channel: ConsumeChannel.open(wire, memory, inHand) }
    const forget = () => {
      slots.delete(slot)
      if (![...slots].some((each) => each.wire === wire)) left.get(wire)?.resolve()
    }
    slots.add(slot)
    slot.channel.then((channel) => channel.closed.then(forget), forget)
    return slot
  }

  return {
    take: async (wire, alone) => {
      const slot = choose(wire, alone)
      slot.load++
      const channel = await slot.channel
      const leave = () => {
        if (--slot.load > 0) return
        slot.isShared = false
        channel.retire()
      }
      return { channel, leave }
    },
    left: async (wire) => {
      if (![...slots].some((each) => each.wire === wire)) return
      const none = Promise.withResolvers<void>()
      left.set(wire, none)
      await none.promise
      left.delete(wire)
    },
    close: async () => {
      const closing = [...slots].map(async (slot) => (await slot.channel).close())
      await Promise.allSettled(closing)
    },
  }
}

/** Only of this connection: the channels of one that is over may not be forgotten yet. */
const leastLoaded = (slots: Iterable<Slot>, wire: Wire): Slot | undefined => {
  let least: Slot | undefined
  for (const slot of slots) {
    if (slot.wire === wire && slot.isShared && (least === undefined || slot.load < least.load)) least = slot
  }
  return least
}
