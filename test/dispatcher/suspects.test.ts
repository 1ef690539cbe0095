import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

/** What Waybill gives back itself does not count against a message, however often. */

let stage: Stage
let producer: Producer
let subscriber: Subscriber

beforeAll(async () => {
  stage = await startStage()
  subscriber = await startSubscriber()
  producer = await connectProducer(stage.vhost.amqpUrl)
})
beforeEach(() => {
  subscriber.received.length = 0
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

const edits = 26

/** Writes the Subscription so that it differs from the one before. */
const edit = (name: string, count: number): void =>
  stage.folder.write(name, [
    topicOf(name),
    subscriptionOf(name, name, subscriber.url, { delivery: { timeout: `${10_000 + count}ms` } }),
  ])

const setUp = async (name: string, resyncInterval = '1s') => {
  stage.folder.write('broker', brokerOf(stage.vhost, { resyncInterval }))
  edit(name, 0)
  await stage.condition(subscription, name, 'Ready', 'True')
}

test('a message that was answered 410 at each of 26 edits waits in its queue, and is delivered at last', async () => {
  const name = 'gone'
  await setUp(name)
  subscriber.answer(410)
  await producer.publish(`shop.${name}`, [{ body: 'one' }])
  for (let count = 1; count <= edits; count += 1) {
    await eventually(() => subscriber.received.length >= count)
    edit(name, count)
  }
  await eventually(() => subscriber.received.length > edits)
  expect(subscriber.received).toHaveLength(edits + 1)
  subscriber.answer(204)
  edit(name, edits + 1)
  await eventually(() => subscriber.received.length === edits + 2)
  const ids = new Set(subscriber.received.map(({ headers }) => headers['webhook-id']))
  expect(ids.size).toBe(1)
  expect(new Set(subscriber.received.map(({ headers }) => headers['waybill-attempt']))).toEqual(new Set(['1']))
  expect(stage.get(subscription, name)?.status?.delivery?.deadLettered ?? 0).toBe(0)
  expect((await producer.channel.checkQueue(`waybill.dlq.shop.${name}`)).messageCount).toBe(0)
}, 120_000)

test('a message whose copy is not stored over 26 edits is dead-lettered for what was answered', async () => {
  const name = 'blocked'
  await setUp(name, '1h')
  await producer.channel.deleteQueue(`waybill.dlq.shop.${name}`)
  subscriber.answer(400)
  await producer.publish(`shop.${name}`, [{ body: 'one' }])
  for (let count = 1; count <= edits; count += 1) {
    await eventually(() => subscriber.received.length >= count)
    edit(name, count)
  }
  await eventually(() => subscriber.received.length > edits)
  stage.folder.write('broker', brokerOf(stage.vhost))
  const queue = `/queues/${stage.vhost.name}/waybill.dlq.shop.${name}`
  const [letter] = await eventually(
    async () => {
      if (!(await stage.vhost.manage('GET', queue).catch(() => false))) return false
      const letters = await producer.look(`waybill.dlq.shop.${name}`)
      return letters.length > 0 && letters
    },
    { timeoutMs: 30_000 },
  )
  expect(letter!.properties.headers).toMatchObject({ 'waybill-reason': 'Rejected', 'waybill-attempts': 1 })
  expect(letter!.properties.headers).not.toHaveProperty('waybill-suspect')
}, 120_000)
