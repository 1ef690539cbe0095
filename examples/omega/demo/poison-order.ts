import { isTrue } from '../../../src/api/conditions.ts'
import { eventually } from '../../../test/support/wait.ts'
import type { Say } from './say.ts'
import { accepted, acceptedAll, type Shop } from './shop.ts'

const deadLetterQueue = 'waybill.dlq.shop.billing'

/** Story 3: an order that always fails is retried and dead-lettered, and does not block newer orders. */
export const poisonOrder = async (shop: Shop, say: Say): Promise<void> => {
  const { billing } = shop
  say.title('3  Billing rejects one order every time: does it block the orders behind it?')

  // Set before the order is published, so that Billing rejects its first attempt too.
  const poison = shop.nextOrder()
  await billing.answer({ status: 500, body: 'no such currency', only: [poison] })
  await shop.placeOrders(1)
  const good = await shop.placeOrders(10)
  say.now(`Published ${poison}, which Billing always answers with 500, and 10 good orders behind it`)
  await eventually(() => acceptedAll(billing, good), { everyMs: 50 }).catch(() => {})
  const attempts = async () => (await billing.received()).filter(({ id }) => id === poison)
  const passedBy = (await accepted(billing)).filter((id) => good.includes(id)).length
  say.now(
    `Billing accepted ${passedBy} of the 10 good orders; ${poison} has had ${(await attempts()).length} of 3 attempts`,
  )

  const dead = async () => (await shop.look(deadLetterQueue)).find(({ properties }) => properties.messageId === poison)
  const found = await eventually(dead, { timeoutMs: 15_000, everyMs: 250 }).catch(() => undefined)
  const headers = found?.properties.headers ?? {}
  say.now(`The dead-letter queue ${deadLetterQueue} contains ${found ? `${poison}: ${found.content}` : 'nothing'}`)
  const own = Object.entries(headers).filter(([name]) => name.startsWith('waybill-'))
  say.quote(own.map(([name, value]) => `${name}: ${value}`).join('\n'))

  const counted = async () => {
    const status = (await shop.subscription('billing'))?.status
    return status?.deadLetters?.count === 1 && isTrue(status.conditions, 'DeadLettersPresent')
  }
  say.now('Waiting for the status of the subscription billing, which is updated at most every 10 s')
  const shown = await eventually(counted, { timeoutMs: 20_000, everyMs: 200 }).catch(() => false)
  say.quote(await shop.table())

  const tried = await attempts()
  const last = tried.at(-1)?.at ?? 0
  const passed = (await billing.received()).filter(({ id }) => good.includes(id)).every(({ at }) => at < last)
  say.judge(
    passed && (await acceptedAll(billing, good)),
    `the good orders did not wait for it: ${passedBy} of 10 delivered`,
  )
  say.judge(tried.length === 3, `it was attempted 3 times: ${tried.length} of 3`)
  say.judge(
    headers['waybill-reason'] !== undefined && headers['waybill-attempts'] === 3,
    `it is retained in the dead-letter queue, with the reason: ${headers['waybill-reason'] ?? 'none'}`,
  )
  say.judge(shown, 'the status counts one dead letter, and its condition DeadLettersPresent is True')
}
