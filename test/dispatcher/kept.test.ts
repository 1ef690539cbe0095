import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, deadLetterPolicyOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

/** While a copy cannot be stored, the original stays in its queue. */

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
  subscriber.answer(400)
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

const setUp = async (name: string, more: object[] = [], delivery: object = {}, resyncInterval = '1s') => {
  const spec = { delivery, ...(more.length > 0 ? { deadLetterPolicyRef: { name } } : {}) }
  stage.folder.write('broker', brokerOf(stage.vhost, { resyncInterval }))
  stage.folder.write(name, [...more, topicOf(name), subscriptionOf(name, name, subscriber.url, spec)])
  await stage.condition(subscription, name, 'Ready', 'True')
}
const publish = (name: string, ...bodies: string[]) =>
  producer.publish(
    `shop.${name}`,
    bodies.map((body) => ({ body })),
  )
/** Whether the message is unacknowledged: the count of those is seconds old, the count of ready messages is not. */
const isTaken = async (name: string): Promise<boolean> =>
  (await producer.channel.checkQueue(`waybill.sub.shop.${name}`)).messageCount === 0
const blocked = (name: string) => stage.condition(subscription, name, 'RetryBlocked', 'True', 'CopyNotConfirmed')

test('a message for a full dead-letter queue waits, and is dead-lettered once there is room', async () => {
  const name = 'full'
  await setUp(name, [deadLetterPolicyOf(name, { retention: { maxLength: 1 } })], { concurrency: 1 })
  // RabbitMQ takes a few more than it says before it refuses.
  const bodies = Array.from({ length: 8 }, (_, index) => `body ${index}`)
  await publish(name, ...bodies)
  const { message } = await blocked(name)
  const isBlocked = () => stage.metric('waybill_subscription_retry_blocked', { subscription: name })
  expect(await isBlocked()).toBe(1)
  expect(message).toContain('queue "waybill.dlq.shop.full" refused the copy: it is full or failing')
  const dead: string[] = []
  const take = async (): Promise<boolean> => {
    const letter = await producer.channel.get(`waybill.dlq.shop.${name}`, { noAck: true })
    if (letter) dead.push(letter.content.toString())
    return dead.length >= bodies.length
  }
  await eventually(take, { timeoutMs: 25_000 })
  expect(new Set(dead)).toEqual(new Set(bodies))
  expect(dead).toHaveLength(bodies.length)
  expect(subscriber.received).toHaveLength(bodies.length)
  await stage.noCondition(subscription, name, 'RetryBlocked')
  expect(await isBlocked()).toBe(0)
  for (const reason of ['CopyNotConfirmed', 'NoRetryBlocked']) await eventually(() => stage.logs().includes(reason))
  expect(await stage.metric('waybill_copy_unconfirmed_total', { subscription: name })).toBeGreaterThan(0)
})

test('a message for a deleted dead-letter queue waits until the queue is back', async () => {
  const name = 'deleted'
  await setUp(name, [], {}, '1h')
  await producer.channel.deleteQueue(`waybill.dlq.shop.${name}`)
  await publish(name, 'kept')
  const { message } = await blocked(name)
  expect(message).toContain('queue "waybill.dlq.shop.deleted" has no matching queue')
  expect(await isTaken(name)).toBe(true)
  stage.folder.write('broker', brokerOf(stage.vhost))
  const queue = `/queues/${stage.vhost.name}/waybill.dlq.shop.${name}`
  const [letter] = await eventually(async () => {
    if (!(await stage.vhost.manage('GET', queue).catch(() => false))) return false
    const letters = await producer.look(`waybill.dlq.shop.${name}`)
    return letters.length > 0 && letters
  })
  expect(letter!.content.toString()).toBe('kept')
  await stage.noCondition(subscription, name, 'RetryBlocked')
  expect(subscriber.received).toHaveLength(1)
})

test('a message for a missing delay exchange waits, and its retry counts as scheduled only once it is stored', async () => {
  const name = 'delay'
  await setUp(name, [], { retry: { schedule: ['500ms'] } }, '1h')
  await producer.channel.deleteExchange('waybill.delay.500ms')
  subscriber.answer((one) => (subscriber.received.indexOf(one) === 0 ? 503 : 200))
  await publish(name, 'kept')
  const { message } = await blocked(name)
  expect(message).toMatch(/no exchange 'waybill\.delay\.500ms'/)
  expect(await isTaken(name)).toBe(true)
  const scheduled = () => stage.metric('waybill_retry_scheduled_total', { level: '500ms' })
  expect(await scheduled()).toBe(0)
  stage.folder.write('broker', brokerOf(stage.vhost))
  await eventually(() => subscriber.received.length === 2)
  expect(subscriber.received.map(({ headers }) => headers['waybill-attempt'])).toEqual(['1', '2'])
  expect(await scheduled()).toBe(1)
  await stage.noCondition(subscription, name, 'RetryBlocked')
})

test('a subscription whose copies are not stored does not stop others', async () => {
  await setUp('stuck', [], {}, '1h')
  await setUp('free', [], {}, '1h')
  await producer.channel.deleteQueue('waybill.dlq.shop.stuck')
  await publish('stuck', ...Array.from({ length: 30 }, () => 'stuck'))
  await blocked('stuck')
  subscriber.answer(200)
  const before = subscriber.received.length
  await publish('free', ...Array.from({ length: 50 }, () => 'free'))
  await eventually(
    () => subscriber.received.slice(before).filter(({ body }) => body.toString() === 'free').length === 50,
  )
  // It holds what it took, and takes no more.
  expect(subscriber.received.filter(({ body }) => body.toString() === 'stuck').length).toBeLessThanOrEqual(10)
  stage.folder.write('broker', brokerOf(stage.vhost))
  await stage.noCondition(subscription, 'stuck', 'RetryBlocked')
})
