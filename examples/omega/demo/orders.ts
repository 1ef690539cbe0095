import type { Outgoing } from '../../../test/support/publish.ts'

/** Orders as the shop publishes them, numbered consecutively. */
export const orders = () => {
  let last = 1_000
  return {
    /** The id of the next order. */
    next: (): string => `order-${last + 1}`,
    /** The next `count` orders. */
    take: (count: number): Outgoing[] =>
      Array.from({ length: count }, () => ({
        routingKey: 'order.placed',
        body: { order: ++last, currency: 'EUR' },
        options: { messageId: `order-${last}`, type: 'order.placed' },
      })),
  }
}
