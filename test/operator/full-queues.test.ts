import { broker } from '../../src/api/kinds/broker.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

/** One subscription's queue is full and refuses; another subscription's retries must come all the same. */

let stage: Stage
let producer: Producer
let greedy: Subscriber
let neighbour: Subscriber
beforeAll(async () => {
  stage = await startStage()
  producer = await connectProducer(stage.vhost.amqpUrl)
  greedy = await startSubscriber()
  neighbour = await startSubscriber()
  stage.folder.write('broker', brokerOf(stage.vhost))
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await Promise.all([greedy.close(), neighbour.close()])
})

const delivery = { concurrency: 100, retry: { schedule: ['5s'] } }
/** More than RabbitMQ hands out of a level before the first of them is confirmed (32). */
const many = Array.from({ length: 60 }, (_, index) => ({ body: `retried ${index}` }))
const limit = async (queue: string): Promise<void> => {
  const pattern = `^${queue.replaceAll('.', '\\.')}$`
  const body = { pattern, 'apply-to': 'queues', definition: { 'max-length': 1 } }
  await stage.vhost.manage('PUT', `/operator-policies/${stage.vhost.name}/limit-${queue}`, body)
}
/** Publishes until the queue refuses. */
const fill = (queue: string): Promise<boolean> =>
  eventually(() =>
    producer.publish('', [{ routingKey: queue, body: 'in the way' }]).then(
      () => false,
      () => true,
    ),
  )

test.each([
  { name: 'before', queue: 'waybill.sub.shop.before', when: 'by an operator policy that was there before' },
  { name: 'later', queue: 'waybill.sub.shop.later', when: 'by an operator policy that comes later' },
  { name: 'adopted', queue: 'shop.adopted', when: 'by its own arguments, and is adopted' },
])('a queue that is full, limited $when, delays nobody: retries come in time', async ({ name, queue }) => {
  const { folder, condition } = stage
  const source = name === 'adopted' ? { queueRef: { name } } : { topicRef: { name } }
  if (name === 'adopted') {
    const args = { 'x-queue-type': 'quorum', 'x-max-length': 1, 'x-overflow': 'reject-publish' }
    await producer.channel.assertQueue(queue, { arguments: args })
  }
  if (name === 'before') await limit(queue)
  const write = (suspend: boolean) =>
    folder.write(name, [
      ...(name === 'adopted' ? [queueOf(name, { adopt: true })] : [topicOf(name)]),
      topicOf(`beside-${name}`),
      subscriptionOf(name, name, greedy.url, { topicRef: undefined, ...source, delivery, suspend }),
      subscriptionOf(`beside-${name}`, `beside-${name}`, neighbour.url, { delivery }),
    ])
  write(false)
  await condition(subscription, name, 'Ready', 'True')
  await condition(subscription, `beside-${name}`, 'Ready', 'True')

  greedy.received.length = 0
  greedy.answer(503)
  neighbour.received.length = 0
  neighbour.answer(() => (neighbour.received.length === 1 ? 503 : 204))
  for (const message of many) await producer.publish('', [{ ...message, routingKey: queue }]).catch(() => {})
  await eventually(() => greedy.received.length >= 40)
  write(true)
  await condition(subscription, name, 'Suspended', 'True')
  if (name === 'later') await limit(queue)
  await fill(queue)
  await producer.publish(`shop.beside-${name}`, [{ body: 'in time' }])
  const { message } = await condition(subscription, name, 'QueueFull', 'True')
  expect(message).toContain(`queue ${queue} holds`)
  await eventually(() => neighbour.received.length === 2)
  const [first, second] = neighbour.received
  expect(second!.at - first!.at).toBeGreaterThanOrEqual(5_000)
  expect(second!.at - first!.at).toBeLessThan(6_000)
  expect(stage.get(broker, 'rabbitmq')?.status?.orphaned).toBe(0)
})

test('a level that stands still is named with the queue that refuses, until it moves again', async () => {
  const name = 'stalled'
  const queue = `waybill.retry.shop.${name}`
  await limit(queue)
  const write = (suspend: boolean) =>
    stage.folder.write(name, [topicOf(name), subscriptionOf(name, name, greedy.url, { delivery, suspend })])
  write(false)
  await stage.condition(subscription, name, 'Ready', 'True')
  greedy.answer(503)
  greedy.received.length = 0
  await producer.publish(`shop.${name}`, many)
  await eventually(() => greedy.received.length === many.length)
  write(true)
  const { message } = await stage.condition(broker, 'rabbitmq', 'LadderStalled', 'True', 'TargetRefuses')
  expect(message).toMatch(/waybill\.delay\.5s \(\d+ messages\); queue waybill\.retry\.shop\.stalled holds/)
  expect(message).toContain('operator policy limit-waybill.retry.shop.stalled')
  expect(await stage.metric('waybill_ladder_stalled', { level: '5s' })).toBe(1)
  expect(await stage.metric('waybill_ladder_stalled', { level: '30s' })).toBe(0)
})
