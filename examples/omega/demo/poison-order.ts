import type { GetMessage } from 'amqplib'
import { isTrue } from '../../../src/api/conditions.ts'
import { subscription } from '../../../src/api/subscription.ts'
import { connectProducer } from '../../../test/support/publish.ts'
import { eventually } from '../../../test/support/wait.ts'
import type { Say } from './say.ts'
import { acceptedAll, idOf, type Shop } from './shop.ts'

const deadLetterQueue = 'waybill.dlq.shop.billing'

/** Story 3: an order that always fails neither blocks newer ones nor is lost. */
export const poisonOrder = async (shop: Shop, say: Say): Promise<void> => {
  const { billing } = shop
  say.title('3  A poison order: is the queue stuck behind it?')

  // Billing turns it down from the first attempt on, so it has to know before the order is published.
  const poison = shop.nextOrder()
  billing.answer((received) => (idOf(received) === poison ? { status: 500, body: 'no such currency' } : 204))
  await shop.placeOrders(1)
  const good = await shop.placeOrders(10)
  say.now(`${poison}, which Billing always answers 500, and 10 good orders behind it are published`)
  await eventually(() => acceptedAll(billing, good)).catch(() => {})
  const attempts = () => billing.received.filter((one) => idOf(one) === poison)
  const passedBy = good.filter((id) => acceptedAll(billing, [id])).length
  say.now(`Billing accepted ${passedBy} of the good ones while ${poison} had ${attempts().length} of 3 attempts`)

  const found = await eventually(() => lookFor(shop, poison), { timeoutMs: 15_000, everyMs: 250 }).catch(
    () => undefined,
  )
  const headers = found?.properties.headers ?? {}
  say.now(`${deadLetterQueue} holds ${found ? `${poison}: ${found.content}` : 'nothing'}`)
  const own = Object.entries(headers).filter(([name]) => name.startsWith('waybill-'))
  say.quote(own.map(([name, value]) => `${name}: ${value}`).join('\n'))

  const counted = async () => {
    const status = (await shop.waybill().get(subscription, 'shop/billing'))?.status
    return status?.deadLetters?.count === 1 && isTrue(status.conditions, 'DeadLettersPresent')
  }
  say.now("Waiting for Billing's status, which is written at most every 10 s")
  const shown = await eventually(counted, { timeoutMs: 20_000, everyMs: 200 }).catch(() => false)
  say.quote(await shop.table())

  const last = attempts().at(-1)?.at ?? 0
  const accepted = billing.received.filter((one) => good.includes(idOf(one)))
  const passed = acceptedAll(billing, good) && accepted.every(({ at }) => at < last)
  say.judge(passed, `the good orders passed it: ${passedBy} of 10`)
  say.judge(attempts().length === 3, `it was tried 3 times: ${attempts().length}`)
  say.judge(
    headers['waybill-reason'] !== undefined && headers['waybill-attempts'] === 3,
    `it is kept in the dead-letter queue, with its reason: ${headers['waybill-reason'] ?? 'none'}`,
  )
  say.judge(shown, "Billing's status counts it and says DeadLettersPresent")
}

/** Looks into the dead-letter queue as anybody with an AMQP client could; what is there stays there. */
const lookFor = async (shop: Shop, id: string): Promise<GetMessage | undefined> => {
  const visitor = await connectProducer(shop.vhost.amqpUrl)
  try {
    return (await visitor.look(deadLetterQueue)).find(({ properties }) => properties.messageId === id)
  } finally {
    await visitor.close()
  }
}
