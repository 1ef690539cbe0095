import { eventually } from '../../../test/support/wait.ts'
import type { Say } from './say.ts'
import { acceptedAll, type Shop } from './shop.ts'

/** Mailing and Billing notice nothing of Shipping's outage as long as each order is there within this time. */
const unnoticedMs = 1_000

/** Story 2: one subscriber is down, the others do not notice, and it catches up. */
export const shippingDown = async (shop: Shop, say: Say): Promise<void> => {
  const { mailing, billing, shipping } = shop
  say.title('2  Shipping is down: do Billing and Mailing notice?')

  await shipping.switchOff()
  say.now('Shipping is switched off: its port refuses connections')
  const publishedAt = Date.now()
  const ids = await shop.placeOrders(10)
  for (const [name, other] of [
    ['Billing', billing],
    ['Mailing', mailing],
  ] as const) {
    await eventually(() => acceptedAll(other, ids), { everyMs: 50 }).catch(() => {})
    const taken = (await other.received()).filter(({ id }) => ids.includes(id))
    const slowestMs = Math.max(...taken.map(({ at }) => at - publishedAt))
    say.now(`10 orders published; ${name} has ${taken.length} of them, the last after ${slowestMs} ms`)
    say.judge(
      (await acceptedAll(other, ids)) && slowestMs < unnoticedMs,
      `${name} had every order within ${unnoticedMs} ms of its publication`,
    )
  }

  const failing = async () => {
    const conditions = (await shop.subscription('shipping'))?.status?.conditions
    return conditions?.find(({ type, status }) => type === 'Delivering' && status === 'False')
  }
  say.now("Waiting for Shipping's status, which is written at most every 10 s")
  const failure = await eventually(failing, { timeoutMs: 20_000, everyMs: 200 }).catch(() => undefined)
  say.quote(await shop.table())
  say.quote(failure ? `Delivering ${failure.status}, ${failure.reason}: ${failure.message}` : '')
  say.judge(failure !== undefined, 'the status says that Shipping does not receive, and why')
  const early = (await shipping.received()).filter(({ id }) => ids.includes(id))
  say.judge(early.length === 0, 'Shipping has received nothing')

  await shipping.switchOn()
  say.now('Shipping is switched on again')
  await eventually(() => acceptedAll(shipping, ids), { timeoutMs: 30_000, everyMs: 50 }).catch(() => {})
  const shipped = new Set((await shipping.received()).map(({ id }) => id))
  const caughtUp = ids.filter((id) => shipped.has(id)).length
  say.judge(await acceptedAll(shipping, ids), `Shipping caught up by itself: ${caughtUp} of 10`)
}
