import { subscription } from '../../../src/api/subscription.ts'
import { eventually } from '../../../test/support/wait.ts'
import type { Say } from './say.ts'
import { acceptedAll, idOf, type Shop } from './shop.ts'

/** Billing notices nothing of Shipping's outage as long as each order is there within this time. */
const unnoticedMs = 1_000

/** Story 2: one subscriber is down, the others do not notice, and it catches up. */
export const shippingDown = async (shop: Shop, say: Say): Promise<void> => {
  const { billing, shipping } = shop
  say.title('2  Shipping is down: does Billing notice?')

  await shipping.close()
  say.now('Shipping is switched off: its port refuses connections')
  const publishedAt = Date.now()
  const ids = await shop.placeOrders(10)
  await eventually(() => acceptedAll(billing, ids)).catch(() => {})
  const invoiced = billing.received.filter((one) => ids.includes(idOf(one)))
  const slowestMs = Math.max(...invoiced.map(({ at }) => at - publishedAt))
  say.now(`10 orders published; Billing has ${invoiced.length} of them, the last after ${slowestMs} ms`)
  say.judge(
    acceptedAll(billing, ids) && slowestMs < unnoticedMs,
    `Billing had every order within ${unnoticedMs} ms of its publication`,
  )

  const failing = async () => {
    const found = await shop.waybill().get(subscription, 'shop/shipping')
    return found?.status?.conditions?.find(({ type, status }) => type === 'Delivering' && status === 'False')
  }
  say.now("Waiting for Shipping's status, which is written at most every 10 s")
  const failure = await eventually(failing, { timeoutMs: 20_000, everyMs: 200 }).catch(() => undefined)
  say.quote(await shop.table())
  say.quote(failure ? `Delivering ${failure.status}, ${failure.reason}: ${failure.message}` : '')
  say.judge(failure !== undefined, 'the status says that Shipping does not receive, and why')
  say.judge(!acceptedAll(shipping, ids), 'Shipping has received nothing')

  await shipping.open()
  say.now('Shipping is switched on again')
  await eventually(() => acceptedAll(shipping, ids), { timeoutMs: 15_000 }).catch(() => {})
  const shipped = new Set(shipping.received.map(idOf))
  const caughtUp = ids.filter((id) => shipped.has(id)).length
  say.judge(acceptedAll(shipping, ids), `Shipping caught up by itself: ${caughtUp} of 10`)
}
