import { eventually } from '../../../test/support/wait.ts'
import type { Say } from './say.ts'
import { accepted, acceptedAll, idOf, type Shop } from './shop.ts'

/** Story 1: Waybill dies between the broker's confirm and the mail. */
export const sentOrNotSent = async (shop: Shop, say: Say): Promise<void> => {
  const { mailing, producer } = shop
  say.title('1  Sent or not sent: an order is stored, Waybill dies; does the mail go out?')

  mailing.answer('hang')
  const ids = await shop.placeOrders(20)
  say.now('20 orders published, and confirmed by RabbitMQ; the mail server is slow today')
  await eventually(() => mailing.received.length === 5)
  const inFlight = new Set(mailing.received.map(idOf))
  await shop.waybill().kill('SIGKILL')
  say.now(
    `Waybill killed with kill -9 while ${inFlight.size} mails were on their way; sent: ${accepted(mailing).length}`,
  )

  const waiting = async () => (await producer.channel.checkQueue('waybill.sub.shop.mailing')).messageCount
  await eventually(async () => (await waiting()) === 20, { everyMs: 100 })
  say.now('All 20 are still in the queue waybill.sub.shop.mailing')

  mailing.answer(204)
  await shop.startWaybill()
  say.now('Waybill started again; the mail server answers again')
  const subscribers = [mailing, shop.billing, shop.shipping]
  await eventually(() => subscribers.every((one) => acceptedAll(one, ids)), { timeoutMs: 15_000 }).catch(() => {})
  say.quote(await shop.table())

  const sent = new Set(accepted(mailing))
  say.judge(sent.size === 20 && acceptedAll(mailing, ids), `every mail was sent: ${sent.size} of 20`)
  const asked = mailing.received.map(idOf)
  const twice = asked.filter((id, at) => asked.indexOf(id) !== at)
  const webhookIds = new Set(mailing.received.map(({ headers }) => headers['webhook-id']))
  say.judge(
    twice.every((id) => inFlight.has(id)) && webhookIds.size === 20,
    `only those on their way were asked for twice, with the same webhook-id: ${twice.length} of ${inFlight.size}`,
  )
  say.judge(
    acceptedAll(shop.billing, ids) && acceptedAll(shop.shipping, ids),
    'every order reached Billing and Shipping too',
  )
}
