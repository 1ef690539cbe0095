import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { accepted, acceptedAll, type Shop } from '../examples/omega/demo/shop.ts'
import { eventually } from '../test/support/wait.ts'

export type Load = {
  /**
   * Stops publishing and waits until every confirmed order has reached every subscriber.
   *
   * @throws when one was lost, or more than `atMostTwice` deliveries were duplicates
   */
  arrived(atMostTwice?: number): Promise<string>
}

/** Publishes `perSecond` orders a second, in two batches, until `arrived` is called. */
export const startLoad = (shop: Shop, { perSecond = 10 }: { readonly perSecond?: number } = {}): Load => {
  const ending = new AbortController()
  const confirmed: string[] = []
  const publish = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      confirmed.push(...(await shop.placeOrders(perSecond / 2)))
      await delay(500, undefined, { signal: ending.signal }).catch(() => {})
    }
  }
  const published = publish()
  published.catch(() => {}) // Reported by arrived().
  const subscribers = { Mailing: shop.mailing, Billing: shop.billing, Shipping: shop.shipping }
  return {
    async arrived(atMostTwice = Number.POSITIVE_INFINITY) {
      ending.abort()
      await published
      let twice = 0
      for (const [name, subscriber] of Object.entries(subscribers)) {
        // An attempt whose dispatcher was killed counts as unanswered until its timeout has passed.
        await eventually(() => acceptedAll(subscriber, confirmed), { timeoutMs: 60_000, everyMs: 250 }).catch(() => {})
        const done = await accepted(subscriber)
        const lost = confirmed.filter((id) => !done.includes(id))
        assert.deepEqual(lost, [], `${name} lost ${lost.length} of ${confirmed.length} confirmed orders`)
        twice += confirmed.reduce((sum, id) => sum + done.filter((one) => one === id).length - 1, 0)
      }
      assert(twice <= atMostTwice, `${twice} deliveries were duplicates, of ${confirmed.length} orders`)
      return `all ${confirmed.length} confirmed orders reached all three subscribers; ${twice} duplicate deliveries`
    },
  }
}
