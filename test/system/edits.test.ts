import { setTimeout as delay } from 'node:timers/promises'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { subscriptionOf } from '../support/manifests.ts'
import { openShop } from '../support/shop.ts'
import type { Subscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

const soon = { timeoutMs: 2_000 }
const idsAt = (...at: Subscriber[]): Set<string> =>
  new Set(at.flatMap(({ received }) => received.map(({ headers }) => String(headers['ce-id']))))

test('edits of a manifest take effect within 2 s while messages flow, and no message is lost', async () => {
  await using shop = await openShop({ resyncInterval: '60s' })
  const { folder, producer } = shop
  const [old, fresh, late] = [await shop.subscriber(), await shop.subscriber(), await shop.subscriber()]
  const billing = (url: string, spec: object = {}) => subscriptionOf('billing', 'orders', url, spec)
  const shipping = subscriptionOf('shipping', 'orders', late.url)
  folder.write('billing', [billing(old.url)])
  const waybill = await shop.run()
  await shop.ready(waybill, 'billing')

  const published: string[] = []
  const stop = new AbortController()
  const flow = (async () => {
    while (!stop.signal.aborted) {
      published.push(...(await shop.publish([{ order: published.length }])))
      await delay(5)
    }
  })()
  const more = (at: Subscriber) => {
    const before = at.received.length
    return eventually(() => at.received.length > before, soon)
  }
  const consumers = async (queue: string): Promise<number> => (await producer.channel.checkQueue(queue)).consumerCount
  const flowed = (count: number) => {
    const goal = published.length + count
    return eventually(() => published.length >= goal)
  }
  await more(old)

  // Another URL.
  folder.write('billing', [billing(fresh.url)])
  await more(fresh)

  // One more subscription.
  folder.write('shipping', [shipping])
  await eventually(async () => (await waybill.get(subscription, 'shipping'))?.status?.queue !== undefined, soon)
  await more(late)
  const sinceShipping = published.length

  // Suspended, and resumed.
  folder.write('billing', [billing(fresh.url, { suspend: true })])
  await eventually(async () => (await consumers('waybill.sub.shop.billing')) === 0, soon)
  const before = fresh.received.length
  await flowed(50)
  expect(fresh.received.length - before).toBeLessThanOrEqual(10)
  const suspended = await waybill.get(subscription, 'billing')
  expect(suspended?.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Suspended', status: 'True' }))
  folder.write('billing', [billing(fresh.url)])
  await more(fresh)

  // Another filter; the queue is never without a binding.
  folder.write('billing', [billing(fresh.url, { filter: { routingKeys: ['order.*', 'bill.*'] } })])
  await eventually(async () => (await waybill.get(subscription, 'billing'))?.status?.observedGeneration === 5, soon)
  await flowed(50)

  // Removed: messages that wait in its queue stay there.
  const untilRemoval = published.length
  folder.delete('shipping')
  await eventually(async () => (await consumers('waybill.sub.shop.shipping').catch(() => 0)) === 0, soon)
  await flowed(20)
  stop.abort()
  await flow

  await eventually(() => idsAt(old, fresh).size === published.length)
  expect(idsAt(old, fresh)).toEqual(new Set(published))
  const left = (await producer.look('waybill.sub.shop.shipping')).map(({ properties }) => properties.messageId)
  expect([...idsAt(late), ...left]).toEqual(expect.arrayContaining(published.slice(sinceShipping, untilRemoval)))
  const total = [old, fresh].reduce((sum, { received }) => sum + received.length, 0)
  expect(total).toBe(published.length)
})

test('messages are delivered while a manifest file is broken for a while', async () => {
  await using shop = await openShop()
  const subscriber = await shop.subscriber()
  shop.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url)])
  const waybill = await shop.run()
  await shop.ready(waybill, 'billing')
  for (const broken of [
    'kind: [',
    'apiVersion: waybill.dev/v1alpha1\nkind: Subscription\nmetadata: {name: billing}',
    '',
  ]) {
    shop.folder.write('billing', broken)
    if (broken) await eventually(() => waybill.logs().split('billing.yaml:').length > 1)
    await shop.publish([{ broken }])
  }
  // An empty file is valid: the subscription is deleted, and its queue retains its messages.
  await eventually(async () => (await waybill.get(subscription, 'billing'))?.metadata.deletionTimestamp !== undefined)
  shop.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url)])
  await eventually(() => subscriber.received.length === 3, { timeoutMs: 20_000 })
})

test('a hundred subscriptions become Ready, and each receives the event', async () => {
  await using shop = await openShop({ resyncInterval: '60s' })
  const subscriber = await shop.subscriber()
  const names = Array.from({ length: 100 }, (_, index) => `billing-${index}`)
  shop.folder.write(
    'all',
    names.map((name) => subscriptionOf(name, 'orders', `${subscriber.url}${name}`)),
  )
  const waybill = await shop.run()
  await shop.ready(waybill, ...names)
  await shop.publish([{ order: 1 }])
  await eventually(() => subscriber.received.length === 100)
  expect(new Set(subscriber.received.map(({ path }) => path)).size).toBe(100)
  expect(new Set(subscriber.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
})
