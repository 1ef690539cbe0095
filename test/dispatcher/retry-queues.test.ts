import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

let stage: Stage
let producer: Producer
let subscriber: Subscriber
beforeAll(async () => {
  stage = await startStage()
  producer = await connectProducer(stage.vhost.amqpUrl)
  subscriber = await startSubscriber()
  stage.folder.write('broker', brokerOf(stage.vhost))
})
beforeEach(() => {
  subscriber.received.length = 0
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

const pushing = (name: string, delivery: object) =>
  subscriptionOf(name, name, subscriber.url, { topicRef: undefined, queueRef: { name }, delivery })
const bodies = (prefix: string) => Array.from({ length: 5 }, (_, index) => `${prefix} ${index}`)

test('concurrency holds for a Queue and the retries of its Subscription together, and neither keeps the other waiting', async () => {
  const name = 'work'
  let [inFlight, most] = [0, 0]
  subscriber.answer(async () => {
    inFlight += 1
    most = Math.max(most, inFlight)
    await new Promise((resolve) => setTimeout(resolve, 100))
    inFlight -= 1
    return 204
  })
  stage.folder.write(name, [queueOf(name), pushing(name, { concurrency: 2 })])
  await stage.condition(subscription, name, 'Ready', 'True')
  expect(stage.get(subscription, name)?.status).toMatchObject({
    queue: 'shop.work',
    retryQueue: 'waybill.retry.shop.work',
  })
  await producer.publish(
    '',
    bodies('new').map((body) => ({ routingKey: 'shop.work', body })),
  )
  await producer.publish(
    'waybill.return',
    bodies('back').map((body) => ({ routingKey: 'waybill.retry.shop.work', body })),
  )
  const received = () => subscriber.received.map(({ body }) => body.toString())
  await eventually(() => received().length === 10)
  expect(received().toSorted()).toEqual([...bodies('back'), ...bodies('new')])
  expect(most).toBe(2)
  expect(
    received()
      .slice(0, 8)
      .filter((body) => body.startsWith('back')).length,
  ).toBeGreaterThanOrEqual(2)
})

test('a retry of a message of a Queue comes back to the queue of its Subscription', async () => {
  const name = 'retried'
  subscriber.answer(() => (subscriber.received.length === 1 ? 503 : 204))
  stage.folder.write(name, [queueOf(name), pushing(name, { retry: { schedule: ['500ms'] } })])
  await stage.condition(subscription, name, 'Ready', 'True')
  await producer.channel.assertQueue('seen', { arguments: { 'x-queue-type': 'quorum' } })
  await producer.channel.bindQueue('seen', 'waybill.delay.500ms', '')
  await producer.publish('', [{ routingKey: 'shop.retried', body: 'once more' }])
  await eventually(() => subscriber.received.length === 2)
  const [copy] = await producer.look('seen')
  expect(copy?.fields.routingKey).toBe('waybill.retry.shop.retried')
})

test('a Retry-After that fits no rung takes a few hops and ends in time', async () => {
  const name = 'asked'
  subscriber.answer(() =>
    subscriber.received.length === 1 ? { status: 429, headers: { 'retry-after': '3' } } : { status: 204 },
  )
  stage.folder.write(name, [
    topicOf(name),
    subscriptionOf(name, name, subscriber.url, { delivery: { retry: { schedule: ['100ms'] } } }),
  ])
  await stage.condition(subscription, name, 'Ready', 'True')
  const levels = ['100ms', '1s', '2s', '5s']
  const copies = async () => {
    const counts = levels.map((level) => stage.metric('waybill_retry_scheduled_total', { level }))
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  }
  const before = await copies()
  await producer.publish(`shop.${name}`, [{ body: 'later' }])
  await eventually(() => subscriber.received.length === 2)
  const [first, second] = subscriber.received
  expect(second!.at - first!.at).toBeGreaterThanOrEqual(3_000)
  expect(second!.at - first!.at).toBeLessThan(4_000)
  expect((await copies()) - before).toBeLessThanOrEqual(3)
})
