import { isTrue } from '../../src/api/conditions.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { subscriptionOf } from '../support/manifests.ts'
import { openShop } from '../support/shop.ts'
import { eventually } from '../support/wait.ts'

test('a message that always fails is retried and dead-lettered with its reason, while newer ones are delivered', async () => {
  await using shop = await openShop()
  const subscriber = await shop.subscriber()
  const poison = { order: 'poison', note: 'ünïcode ' }
  const isPoison = (body: Buffer) => body.toString() === JSON.stringify(poison)
  subscriber.answer(({ body }) => (isPoison(body) ? 500 : 200))
  const delivery = { concurrency: 1, retry: { schedule: ['1s', '2s'], maxAttempts: 3 } }
  shop.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url, { delivery })])
  const waybill = await shop.run()
  await shop.ready(waybill, 'billing')

  const publishedAt = Date.now()
  const [poisonId] = await shop.publish([poison])
  const good = await shop.publish(Array.from({ length: 100 }, (_, order) => ({ order })))
  const goodOnes = () => subscriber.received.filter(({ body }) => !isPoison(body))
  await eventually(() => goodOnes().length === 100)
  expect(goodOnes().map(({ headers }) => headers['ce-id'])).toEqual(good)
  expect(Math.max(...goodOnes().map(({ at }) => at)) - publishedAt).toBeLessThan(2_000)

  const [letter] = await eventually(async () => {
    const letters = await shop.producer.look('waybill.dlq.shop.billing')
    return letters.length > 0 && letters
  })
  const tries = subscriber.received.filter(({ body }) => isPoison(body))
  expect(tries.map(({ headers }) => headers['waybill-attempt'])).toEqual(['1', '2', '3'])
  expect(new Set(tries.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  const [first, second, third] = tries.map(({ at }) => at)
  expect(second! - first!).toBeGreaterThanOrEqual(1_000)
  expect(third! - second!).toBeGreaterThanOrEqual(2_000)
  expect(third! - first!).toBeLessThan(5_000)
  expect(letter!.content.toString()).toBe(JSON.stringify(poison))
  expect(letter!.properties).toMatchObject({
    messageId: poisonId,
    headers: {
      'waybill-reason': 'Exhausted',
      'waybill-error': 'The subscriber answered 500; given up after 3 attempts',
      'waybill-attempts': 3,
      'waybill-subscription': 'shop/billing',
    },
  })
  await shop.producer.channel.nackAll()
  const status = await eventually(
    async () => {
      const found = (await waybill.get(subscription, 'billing'))?.status
      return found?.deadLetters?.count === 1 && isTrue(found.conditions, 'DeadLettersPresent') && found
    },
    { timeoutMs: 15_000, everyMs: 50 },
  )
  expect(status.delivery).toMatchObject({ deadLettered: 1, delivered: 100, lastFailure: { statusCode: 500 } })
})

test('a subscriber that hangs does not delay deliveries to another one', async () => {
  await using shop = await openShop()
  const [hung, quick] = [await shop.subscriber(), await shop.subscriber()]
  hung.answer('hang')
  shop.folder.write('both', [subscriptionOf('hung', 'orders', hung.url), subscriptionOf('quick', 'orders', quick.url)])
  const waybill = await shop.run()
  await shop.ready(waybill, 'hung', 'quick')
  const ids = await shop.publish(Array.from({ length: 500 }, (_, order) => ({ order })))
  await eventually(() => quick.received.length === 500)
  expect(quick.received.map(({ headers }) => headers['ce-id']).toSorted()).toEqual(ids.toSorted())
  expect(hung.received.length).toBeLessThanOrEqual(10)
  expect((await shop.producer.channel.checkQueue('waybill.sub.shop.hung')).messageCount).toBeGreaterThanOrEqual(490)
})
