import { replay } from '../../src/api/kinds/replay.ts'
import { jobOf, subscriptionOf } from '../support/manifests.ts'
import { openShop } from '../support/shop.ts'
import { eventually } from '../support/wait.ts'

const concurrency = 3

test('while the network to the broker is silent, a Replay sends no more than was under way, and doubles no more', async () => {
  await using shop = await openShop()
  const subscriber = await shop.subscriber()
  subscriber.answer(400)
  shop.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url)])
  const waybill = await shop.run()
  await shop.ready(waybill, 'billing')
  await shop.publish(Array.from({ length: 100 }, (_, seq) => ({ seq })))
  const dead = async () => (await shop.producer.channel.checkQueue('waybill.dlq.shop.billing')).messageCount
  await eventually(async () => (await dead()) === 100, { timeoutMs: 30_000 })
  subscriber.received.length = 0
  subscriber.answer(204)
  shop.folder.write('job', [jobOf('Replay', 'billing', { concurrency, rate: { requests: 20, ramp: false } })])
  await eventually(() => subscriber.received.length > 20, { everyMs: 5 })
  shop.proxy.goSilent()
  const sent = subscriber.received.length
  // Its rate would allow sixty in this time.
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  expect(subscriber.received.length - sent).toBeLessThanOrEqual(2 * concurrency)
  shop.proxy.recover()
  shop.proxy.cut()
  const isComplete = async () =>
    (await waybill.get(replay, 'billing'))?.status?.conditions?.some(({ type }) => type === 'Complete')
  await eventually(isComplete, { timeoutMs: 60_000 })
  const ids = subscriber.received.map(({ headers }) => headers['webhook-id'])
  expect(new Set(ids).size).toBe(100)
  expect(ids.length - 100).toBeLessThanOrEqual(2 * concurrency)
  await eventually(async () => (await dead()) === 0)
})
