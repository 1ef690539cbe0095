import { eventually } from '../../../test/support/wait.ts'
import type { Say } from './say.ts'
import { accepted, acceptedAll, type Shop } from './shop.ts'

/** Story 1: Waybill crashes after the broker has confirmed the orders and before the mails are sent. */
export const sentOrNotSent = async (shop: Shop, say: Say): Promise<void> => {
  const { mailing, billing, shipping } = shop
  say.title('1  Waybill crashes while mails are being sent: is every mail still sent?')

  await mailing.answer({ status: 'hang' })
  const ids = await shop.placeOrders(20)
  // Those of these orders alone: there may have been others before.
  const received = async () => (await mailing.received()).filter(({ id }) => ids.includes(id))
  const mails = { ...mailing, received }
  say.now('20 orders published and confirmed by RabbitMQ; Mailing receives requests but does not answer them')
  await eventually(async () => (await received()).length >= 5, { everyMs: 50 })
  const killed = await shop.killWaybill()
  const inFlight = new Set((await received()).map(({ id }) => id))
  const sentSoFar = (await accepted(mails)).length
  say.now(`${killed}; requests to Mailing in flight: ${inFlight.size}, mails sent so far: ${sentSoFar}`)

  await eventually(async () => (await shop.held('waybill.sub.shop.mailing')) === 20, { everyMs: 100 })
  say.now('All 20 orders are still in the queue waybill.sub.shop.mailing')

  await mailing.answer({ status: 204 })
  await shop.startWaybill()
  say.now('Waybill is restarted; Mailing answers again')
  const haveAll = async () =>
    (await Promise.all([mailing, billing, shipping].map((one) => acceptedAll(one, ids)))).every(Boolean)
  await eventually(haveAll, { timeoutMs: 30_000, everyMs: 50 }).catch(() => {})
  say.quote(await shop.table())

  const sent = new Set(await accepted(mails))
  say.judge(sent.size === 20 && (await acceptedAll(mailing, ids)), `every mail was sent: ${sent.size} of 20`)
  const requests = await received()
  const asked = requests.map(({ id }) => id)
  const twice = new Set(asked.filter((id, at) => asked.indexOf(id) !== at))
  const webhookIds = new Set(requests.map(({ webhookId }) => webhookId))
  say.judge(
    [...twice].every((id) => inFlight.has(id)) && webhookIds.size === 20,
    `only the requests in flight were repeated, each with the same webhook-id: ${twice.size} of ${inFlight.size}`,
  )
  say.judge(
    (await acceptedAll(billing, ids)) && (await acceptedAll(shipping, ids)),
    'every order reached Billing and Shipping too',
  )
}
