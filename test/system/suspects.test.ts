import type { GetMessage } from 'amqplib'
import { subscriptionOf } from '../support/manifests.ts'
import { openShop } from '../support/shop.ts'
import { eventually } from '../support/wait.ts'
import type { Waybill } from '../support/waybill.ts'

test('a message that kills its dispatcher is dead-lettered in the end, and those that were in flight beside it are not', async () => {
  await using shop = await openShop()
  const subscriber = await shop.subscriber()
  shop.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url)])
  const first = await shop.run()
  await shop.ready(first, 'billing')
  await first.stop()

  const queue = 'waybill.sub.shop.billing'
  const { channel } = shop.producer
  await shop.publish(['innocent 1', 'killer', 'innocent 2', 'innocent 3'])
  // As if dispatchers had died with all of them 19 times.
  for (let times = 0; times < 19; times += 1) {
    const all = await Promise.all([1, 2, 3, 4].map(() => channel.get(queue)))
    for (const each of all) channel.reject(each as GetMessage, true)
    await eventually(async () => (await channel.checkQueue(queue)).messageCount === 4)
  }

  let running: Waybill | undefined
  let deaths = 0
  subscriber.answer(async ({ body }) => {
    if (body.toString() !== 'killer') return { status: 204, afterMs: 300 }
    deaths += 1
    void running?.kill('SIGKILL')
    return 'hang'
  })
  const letters: GetMessage[] = []
  const isOver = async (): Promise<boolean> => {
    const letter = await channel.get('waybill.dlq.shop.billing', { noAck: true })
    if (letter) letters.push(letter)
    return letters.length > 0
  }
  for (let lives = 0; lives < 12 && letters.length === 0; lives += 1) {
    running = await shop.run()
    await Promise.race([running.exited, eventually(isOver, { timeoutMs: 40_000 })])
  }
  const [letter] = letters
  expect(letter?.content.toString()).toBe('killer')
  expect(letter?.properties.headers).toMatchObject({ 'waybill-reason': 'DeliveryLimit' })
  // Once beside the others, and three times alone.
  expect(deaths).toBeGreaterThanOrEqual(3)
  expect(deaths).toBeLessThanOrEqual(5)
  const bodies = () =>
    new Set(subscriber.received.filter(({ status }) => status === 204).map(({ body }) => body.toString()))
  await eventually(() => bodies().size === 3)
  await eventually(async () => (await channel.checkQueue(queue)).messageCount === 0)
  const others = await shop.producer.look('waybill.dlq.shop.billing')
  expect(others.map(({ content }) => content.toString())).toEqual([])
})
