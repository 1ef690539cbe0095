import type { Outgoing } from '../../../test/support/publish.ts'

/** Orders as the shop publishes them, with ids that count upwards. */
export const orders = () => {
  let last = 1_000
  return {
    /** The id of the next one. */
    next: (): string => `order-${last + 1}`,
    /** The next ones. */
    take: (count: number): Outgoing[] =>
      Array.from({ length: count }, () => ({
        routingKey: 'order.placed',
        body: { order: ++last, currency: 'EUR' },
        options: { messageId: `order-${last}`, type: 'order.placed' },
      })),
  }
}
