import { queue } from '../../src/api/kinds/queue.ts'
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
  subscriber = await startSubscriber()
  producer = await connectProducer(stage.vhost.amqpUrl)
  stage.folder.write('base', [...brokerOf(stage.vhost), topicOf('orders')])
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

const letterOf = (name: string) =>
  eventually(async () => {
    const [letter] = await producer.look(`waybill.dlq.shop.${name}`)
    return letter ?? false
  })
const retry = (...schedule: string[]) => ({ delivery: { retry: { schedule, maxAttempts: 5 } } })
/** A Subscription that pushes from the Queue of the same name. */
const pushFrom = async (name: string, delivery: object): Promise<void> => {
  const push = subscriptionOf(name, 'orders', subscriber.url, delivery)
  const { topicRef: _, ...rest } = push.spec as Record<string, unknown>
  stage.folder.write(`${name}-push`, [{ ...push, spec: { ...rest, queueRef: { name } } }])
  await stage.condition(subscription, name, 'Ready', 'True')
}
const declare = async (name: string, spec: object): Promise<void> => {
  stage.folder.write(name, [queueOf(name, { overflow: 'DropHead', ...spec })])
  await stage.condition(queue, name, 'Ready', 'True')
}

test('a message that expires before its next attempt is dead-lettered at once, and counted', async () => {
  subscriber.answer(503)
  stage.folder.write('own', [subscriptionOf('own', 'orders', subscriber.url, retry('100ms', '1h'))])
  await stage.condition(subscription, 'own', 'Ready', 'True')
  await producer.publish('', [{ routingKey: 'waybill.sub.shop.own', body: 'x', options: { expiration: '60000' } }])
  const { properties } = await letterOf('own')
  expect(properties.headers).toMatchObject({ 'waybill-reason': 'Expired', 'waybill-attempts': 2 })
  expect(properties.headers?.['waybill-error']).toContain(
    'the time to live of the message ends before the next attempt',
  )
  expect(await stage.metric('waybill_dead_lettered_total', { reason: 'Expired' })).toBe(1)
})

test('a message in a queue with a time to live does not live longer by its retries', async () => {
  subscriber.answer(503)
  await declare('short', { messageTTL: '60s' })
  await pushFrom('short', retry('100ms', '1h'))
  await producer.publish('', [{ routingKey: 'shop.short', body: 'x' }])
  const { properties } = await letterOf('short')
  expect(properties.headers).toMatchObject({ 'waybill-reason': 'Expired', 'waybill-attempts': 2 })
})

test('a producer cannot have a message dead-lettered by a count of deliveries in a queue that does not count', async () => {
  subscriber.answer(204)
  subscriber.received.length = 0
  await declare('classic', { type: 'Classic' })
  const options = { headers: { 'x-delivery-count': 25 } }
  await producer.publish('', [{ routingKey: 'shop.classic', body: 'x', options }])
  const message = await producer.channel.get('shop.classic')
  if (message) producer.channel.nack(message)
  await pushFrom('classic', {})
  await eventually(() => subscriber.received.length === 1)
  expect(await producer.look('waybill.dlq.shop.classic')).toEqual([])
})
