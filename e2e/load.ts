import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { accepted, acceptedAll, type Shop } from '../examples/omega/demo/shop.ts'
import { eventually } from '../test/support/wait.ts'

export type Load = {
  /** Ends it; says how many orders were confirmed once each of them has reached each subscriber. @throws when one was lost */
  arrived(): Promise<string>
}

/** Orders without a pause: ten a second, five at a time. */
export const startLoad = (shop: Shop): Load => {
  const ending = new AbortController()
  const confirmed: string[] = []
  const publish = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      confirmed.push(...(await shop.placeOrders(5)))
      await delay(500, undefined, { signal: ending.signal }).catch(() => {})
    }
  }
  const published = publish()
  published.catch(() => {}) // Told by arrived().
  const subscribers = { Mailing: shop.mailing, Billing: shop.billing, Shipping: shop.shipping }
  return {
    async arrived() {
      ending.abort()
      await published
      let twice = 0
      for (const [name, subscriber] of Object.entries(subscribers)) {
        // An attempt whose answer nobody took goes on counting as unanswered for its whole timeout.
        await eventually(() => acceptedAll(subscriber, confirmed), { timeoutMs: 60_000, everyMs: 250 }).catch(() => {})
        const done = await accepted(subscriber)
        const lost = confirmed.filter((id) => !done.includes(id))
        assert.deepEqual(lost, [], `${name} lost ${lost.length} of ${confirmed.length} confirmed orders`)
        twice += confirmed.reduce((sum, id) => sum + done.filter((one) => one === id).length - 1, 0)
      }
      return `${confirmed.length} confirmed orders reached all three subscribers, ${twice} of the deliveries twice`
    },
  }
}
