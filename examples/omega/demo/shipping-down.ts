import { eventually } from '../../../test/support/wait.ts'
import type { Say } from './say.ts'
import { acceptedAll, type Shop } from './shop.ts'

/** Shipping's outage does not affect Mailing and Billing if they receive each order within this time. */
const unnoticedMs = 1_000

/** Story 2: one subscriber is down; the others are not affected, and it catches up afterwards. */
export const shippingDown = async (shop: Shop, say: Say): Promise<void> => {
  const { mailing, billing, shipping } = shop
  say.title('2  Shipping is down: are Billing and Mailing affected?')

  await shipping.switchOff()
  say.now('Shipping is stopped: its port refuses connections')
  const publishedAt = Date.now()
  const ids = await shop.placeOrders(10)
  for (const [name, other] of [
    ['Billing', billing],
    ['Mailing', mailing],
  ] as const) {
    await eventually(() => acceptedAll(other, ids), { everyMs: 50 }).catch(() => {})
    const taken = (await other.received()).filter(({ id }) => ids.includes(id))
    const slowestMs = Math.max(...taken.map(({ at }) => at - publishedAt))
    say.now(`${name} received ${taken.length} of 10 new orders, the last one ${slowestMs} ms after publishing`)
    say.judge(
      (await acceptedAll(other, ids)) && slowestMs < unnoticedMs,
      `${name} accepted every order within ${unnoticedMs} ms`,
    )
  }

  const failing = async () => {
    const conditions = (await shop.subscription('shipping'))?.status?.conditions
    return conditions?.find(({ type, status }) => type === 'Delivering' && status === 'False')
  }
  say.now('Waiting for the status of the subscription shipping, which is updated at most every 10 s')
  const failure = await eventually(failing, { timeoutMs: 20_000, everyMs: 200 }).catch(() => undefined)
  say.quote(await shop.table())
  say.quote(failure ? `Delivering=${failure.status}, ${failure.reason}: ${failure.message}` : '')
  say.judge(failure !== undefined, 'the status says that deliveries to Shipping fail, and why')
  const early = (await shipping.received()).filter(({ id }) => ids.includes(id))
  say.judge(early.length === 0, 'Shipping has received nothing')

  await shipping.switchOn()
  say.now('Shipping is started again')
  await eventually(() => acceptedAll(shipping, ids), { timeoutMs: 30_000, everyMs: 50 }).catch(() => {})
  const shipped = new Set((await shipping.received()).map(({ id }) => id))
  const caughtUp = ids.filter((id) => shipped.has(id)).length
  say.judge(
    await acceptedAll(shipping, ids),
    `Shipping received everything that it had missed, without manual action: ${caughtUp} of 10`,
  )
}
