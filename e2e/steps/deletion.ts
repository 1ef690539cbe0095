import assert from 'node:assert/strict'
import { eventually } from '../../test/support/wait.ts'
import { becomes, eventSays } from '../conditions.ts'
import { listOf, subscriptionOf } from '../manifests.ts'
import type { ShopWorld } from '../world.ts'

const queue = 'waybill.sub.shop.audit'

/** A Subscription is deleted while messages wait: they are retained, and a new one of the same name delivers them. */
export const deletion = async ({ cluster, proxy, report, shop, broker }: ShopWorld): Promise<void> => {
  report.section('A Subscription is deleted while messages wait')
  const apply = (suspend: boolean) => {
    const audit = subscriptionOf('shop', 'audit', 'orders', { filter: { routingKeys: ['order.audited'] }, suspend })
    return cluster.kubectl(['apply', '-f', '-'], { input: listOf(audit) })
  }
  let ids: string[] = []
  await report.step('five messages wait in the queue of a suspended Subscription', async () => {
    await apply(true)
    await becomes(proxy, { namespace: 'shop', path: 'subscriptions/audit' }, 'Programmed', 'True', 20_000)
    ids = await broker.publish(Array.from({ length: 5 }, () => ({ routingKey: 'order.audited', body: {} })))
    await eventually(async () => (await shop.held(queue)) === 5, { timeoutMs: 20_000, everyMs: 250 })
  })
  await report.step('kubectl delete removes the Subscription and retains its queue and messages', async () => {
    await cluster.kubectl(['-n', 'shop', 'delete', 'subscription', 'audit', '--timeout=60s'])
    assert.equal((await broker.look(queue)).length, 5)
  })
  await report.step('an Event names the retained queue', () =>
    eventSays(proxy, { namespace: 'shop', kind: 'Subscription', name: 'audit' }, ({ message }) =>
      message.includes(queue),
    ),
  )
  await report.step('a Subscription created with the same name delivers the retained messages', async () => {
    await apply(false)
    const delivered = async () => {
      const done = new Set((await shop.shipping.received()).map(({ id }) => id))
      return ids.every((id) => done.has(id))
    }
    await eventually(delivered, { timeoutMs: 30_000, everyMs: 250 })
  })
  await report.step('deleting the Subscription when its queue is empty deletes the queue', async () => {
    await eventually(async () => (await shop.held(queue)) === 0, { timeoutMs: 20_000, everyMs: 250 })
    await cluster.kubectl(['-n', 'shop', 'delete', 'subscription', 'audit', '--timeout=60s'])
    await eventually(async () => !(queue in (await broker.queues())), { timeoutMs: 20_000, everyMs: 250 })
  })
}
