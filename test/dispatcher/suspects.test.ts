import type { GetMessage } from 'amqplib'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, deadLetterPolicyOf, subscriptionOf, topicOf } from '../support/manifests.ts'
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
const edit = (name: string, count: number, more: object = {}): void =>
  stage.folder.write(name, [
    topicOf(name),
    subscriptionOf(name, name, subscriber.url, { delivery: { timeout: `${10_000 + count}ms` }, ...more }),
  ])

const setUp = async (name: string, more: object = {}) => {
  stage.folder.write('broker', brokerOf(stage.vhost))
  edit(name, 0, more)
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
})

test('a message whose copy is not stored over 26 edits is dead-lettered for what was answered', async () => {
  const name = 'blocked'
  const policy = deadLetterPolicyOf(name, { retention: { maxLength: 1 } })
  stage.folder.write('policy', [policy])
  await setUp(name, { deadLetterPolicyRef: { name } })
  const queue = `waybill.dlq.shop.${name}`
  const isFull = () =>
    producer.publish('', [{ routingKey: queue, body: 'filler' }]).then(
      () => false,
      () => true,
    )
  await eventually(isFull)
  subscriber.answer(400)
  await producer.publish(`shop.${name}`, [{ body: 'one' }])
  for (let count = 1; count <= edits; count += 1) {
    await eventually(() => subscriber.received.length >= count)
    edit(name, count, { deadLetterPolicyRef: { name } })
  }
  await eventually(() => subscriber.received.length > edits)
  await producer.channel.purgeQueue(queue)
  const letter = await eventually(() => producer.channel.get(queue, { noAck: true }))
  expect(letter).toMatchObject({ properties: { headers: { 'waybill-reason': 'Rejected', 'waybill-attempts': 1 } } })
  expect((letter as GetMessage).properties.headers).not.toHaveProperty('waybill-suspect')
})
