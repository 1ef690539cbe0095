import { broker } from '../../src/api/kinds/broker.ts'
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
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

test('delayed messages whose queue was deleted are put back once it is there again; the others are kept and told', async () => {
  const bodies = Array.from({ length: 10 }, (_, index) => `delayed ${index}`)
  const write = (suspend: boolean) =>
    stage.folder.write('all', [
      ...brokerOf(stage.vhost),
      topicOf('orders'),
      subscriptionOf('billing', 'orders', subscriber.url, { suspend, delivery: { retry: { schedule: ['2s'] } } }),
    ])
  write(false)
  await stage.condition(subscription, 'billing', 'Ready', 'True')
  subscriber.answer(503)
  await producer.publish(
    'shop.orders',
    bodies.map((body) => ({ body, options: { headers: { tenant: 7 } } })),
  )
  await eventually(() => subscriber.received.length === bodies.length)
  write(true)
  await stage.condition(subscription, 'billing', 'Suspended', 'True')
  await producer.channel.deleteQueue('waybill.retry.shop.billing')
  const orphaned = ['orphan 0', 'orphan 1']
  await producer.publish(
    'waybill.orphans',
    orphaned.map((body) => ({ routingKey: 'waybill.retry.shop.billing', body })),
  )
  await producer.publish('waybill.return', [{ routingKey: 'waybill.retry.shop.nobody', body: 'of nobody' }])

  const { message } = await stage.condition(broker, 'rabbitmq', 'OrphansPresent', 'True', 'Orphans')
  expect(message).toContain('waybill.orphans holds delayed messages')
  await eventually(async () => (await stage.metric('waybill_broker_orphaned_messages')) > 0)
  subscriber.answer(204)
  write(false)
  const delivered = () => new Set(subscriber.received.slice(bodies.length).map(({ body }) => body.toString()))
  await eventually(() => delivered().size === bodies.length + orphaned.length, { timeoutMs: 100_000 })
  expect(subscriber.received).toHaveLength(2 * bodies.length + orphaned.length)
  const orphans = async () => (await producer.channel.checkQueue('waybill.orphans')).messageCount
  await eventually(async () => (await orphans()) === 1)
  await eventually(async () => (await stage.metric('waybill_broker_orphaned_messages')) === 1)
  await stage.condition(broker, 'rabbitmq', 'OrphansPresent', 'True')
})

test('what is delayed when a Subscription to a Queue is deleted, and its retries with it, is put back when it is created again', async () => {
  const { folder, condition, get } = stage
  folder.write('queue', [queueOf('work')])
  const pushing = {
    ...subscriptionOf('worker', 'work', subscriber.url),
    spec: {
      ...{ queueRef: { name: 'work' }, subscriber: { url: subscriber.url }, deletionPolicy: 'Delete' },
      delivery: { retry: { schedule: ['5s'] } },
    },
  }
  folder.write('worker', [pushing])
  await condition(subscription, 'worker', 'Ready', 'True')
  subscriber.answer(503)
  const before = subscriber.received.length
  await producer.publish('', [{ routingKey: 'shop.work', body: 'delayed' }])
  await eventually(() => subscriber.received.length === before + 1)
  folder.delete('worker')
  await eventually(() => get(subscription, 'worker') === undefined)
  subscriber.answer(204)
  const orphans = async () => (await producer.channel.checkQueue('waybill.orphans')).messageCount
  await eventually(async () => (await orphans()) === 2)
  folder.write('worker', [pushing])
  await eventually(() => subscriber.received.length === before + 2, { timeoutMs: 100_000 })
  expect(subscriber.received.at(-1)?.body.toString()).toBe('delayed')
})
