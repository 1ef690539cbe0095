import { AgainMemory } from '../../losses/again.ts'
import type { ChannelDelivery, LostFate } from './channel-delivery.ts'

export type DeliveryMemory = {
  /** A channel was lost with these unacknowledged, and these acknowledged a moment before. */
  lost(owed: readonly ChannelDelivery[], recent: readonly ChannelDelivery[]): void
  /** Whether the message comes again and is dealt with: it is acknowledged, or whoever works on it has this delivery now. */
  hasProcessed(delivery: ChannelDelivery): boolean
}

/** What became of the deliveries of lost connections, for all consumers of a process on one broker. */
export const deliveryMemory = (): DeliveryMemory => {
  const memory = new AgainMemory<LostFate>()

  const hasProcessed = (delivery: ChannelDelivery): boolean => {
    if (!delivery.message.fields.redelivered) {
      memory.fresh(delivery.queue)
      return false
    }
    const fate = memory.recall(delivery, performance.now())
    if (fate === undefined) return false
    if (fate.is === 'back') {
      delivery.outlived = true
      return false
    }
    if (fate.delivery) fate.delivery.succeededBy(delivery)
    else delivery.acknowledge()
    return true
  }

  return {
    lost(owed, recent) {
      const now = performance.now()
      for (const each of owed) memory.remember(each, each.fate(), true, now)
      for (const each of recent) if (each.state === 'sent') memory.remember(each, each.fate(), false, now)
    },
    hasProcessed: (delivery) => !memory.isEmpty && hasProcessed(delivery),
  }
}
