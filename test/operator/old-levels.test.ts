import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, manifestFolder, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

/** A virtual host as a Waybill of before left it, whose ladder had a level for each delay of a schedule. */

const owned = (owner: string) => ({ 'x-waybill-owner': `waybill:${owner}` })
const shared = owned('Broker/shop/rabbitmq')
const safely = { 'x-overflow': 'reject-publish', 'x-queue-type': 'quorum' }
const old = 'waybill.delay.20s'
const queue = 'waybill.sub.shop.billing'

const declareAsBefore = async ({ channel }: Producer): Promise<void> => {
  await channel.assertExchange('waybill.return', 'direct', {
    arguments: { ...shared, 'alternate-exchange': 'waybill.orphans' },
  })
  await channel.assertExchange('waybill.orphans', 'fanout', { arguments: shared })
  await channel.assertQueue('waybill.orphans', { arguments: { ...shared, ...safely } })
  await channel.bindQueue('waybill.orphans', 'waybill.orphans', '', shared)
  await channel.assertExchange(old, 'fanout', { arguments: shared })
  const level = {
    'x-message-ttl': 20_000,
    'x-dead-letter-exchange': 'waybill.return',
    'x-dead-letter-strategy': 'at-least-once',
  }
  await channel.assertQueue(old, { arguments: { ...shared, ...safely, ...level } })
  await channel.bindQueue(old, old, '', shared)
  const of = owned('Subscription/shop/billing')
  const net = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'waybill.dlq.shop.billing' }
  await channel.assertQueue(queue, { arguments: { ...of, ...safely, ...net } })
  await channel.bindQueue(queue, 'waybill.return', queue, of)
}

let vhost: Vhost
let producer: Producer
let subscriber: Subscriber
let stage: Stage | undefined
beforeAll(async () => {
  vhost = await freshVhost()
  producer = await connectProducer(vhost.amqpUrl)
  subscriber = await startSubscriber()
})
afterAll(async () => {
  await stage?.close()
  await producer.close()
  await subscriber.close()
  await vhost.drop()
})

test('a thousand messages in a level of before are delivered, also those that come late, and then it is gone', async () => {
  await declareAsBefore(producer)
  const bodies = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ routingKey: queue, body: `${prefix} ${index}` }))
  await producer.publish(old, bodies('waiting', 1_000))
  // An empty level would be unbound, and RabbitMQ's counts are up to five seconds old.
  const counted = async () =>
    ((await vhost.manage('GET', `/queues/${vhost.name}/${old}`)) as { messages?: number }).messages
  await eventually(async () => (await counted()) === 1_000)

  const folder = manifestFolder()
  const spec = { delivery: { concurrency: 50, retry: { schedule: ['20s'] } } }
  folder.write('all', [
    ...brokerOf(vhost),
    topicOf('orders'),
    subscriptionOf('billing', 'orders', subscriber.url, spec),
  ])
  stage = await startStage({ beside: { vhost, folder } })
  const names = async (what: 'queues' | 'exchanges') =>
    ((await vhost.manage('GET', `/${what}/${vhost.name}`)) as { name: string }[]).map(({ name }) => name)
  await eventually(async () => (await names('queues')).includes('waybill.delay.24h'))
  // A dispatcher of before is not replaced yet.
  await producer.publish(old, bodies('late', 10))

  const received = () => new Set(subscriber.received.map(({ body }) => body.toString()))
  await eventually(() => received().size === 1_010, { timeoutMs: 90_000 })
  expect(subscriber.received).toHaveLength(1_010)
  await eventually(async () => ![...(await names('queues')), ...(await names('exchanges'))].includes(old), {
    timeoutMs: 60_000,
  })
  const levels = (await names('queues')).filter((name) => name.startsWith('waybill.delay.'))
  expect(levels).toHaveLength(17)
  folder.drop()
}, 240_000)
