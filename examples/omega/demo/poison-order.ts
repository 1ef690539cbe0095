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
  await replayIt(shop, say, { poison, webhookId: tried[0]?.webhookId })
}

/** The end of story 3: Billing is fixed, and the order is delivered after all. */
const replayIt = async (
  shop: Shop,
  say: Say,
  { poison, webhookId }: { readonly poison: string; readonly webhookId: string | undefined },
): Promise<void> => {
  const grouped = async () => (await shop.subscription('billing'))?.status?.deadLetters?.groups?.[0]
  say.now('Waiting for the cause: dead letters are grouped in the status of the subscription')
  const group = await eventually(grouped, { timeoutMs: 30_000, everyMs: 200 }).catch(() => undefined)
  say.quote(group ? `group ${group.group}: ${group.count} × ${group.reason} ${group.statusCode}: ${group.error}` : '')

  await shop.billing.answer({ status: 204 })
  say.now('Billing is fixed. Applied a Replay of that group, with a canary of one message')
  await shop.replay('billing', { selector: { groups: [group?.group ?? 'none'] }, canary: { messages: 1 } })
  const isOver = async () => isTrue((await shop.replayed('billing'))?.status?.conditions, 'Complete')
  await eventually(isOver, { timeoutMs: 30_000, everyMs: 200 }).catch(() => {})
  const status = (await shop.replayed('billing'))?.status
  say.quote(status?.conditions?.map(({ type, reason, message }) => `${type}: ${reason}: ${message}`).join('\n') ?? '')
  const got = (await shop.billing.received()).find(({ id, status: answer }) => id === poison && answer === 204)
  say.judge(
    got !== undefined && got.webhookId === webhookId && status?.delivered === 1,
    `${poison} is delivered, with the webhook-id that it had from the beginning`,
  )
}
