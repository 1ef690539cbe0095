import rhea from 'rhea'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { sendAmqp10 } from '../support/amqp10.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { type PoisonProxy, poisonProxy } from '../support/poison-proxy.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

/** A message that RabbitMQ cannot hand out is its own queue's problem: it is named, kept, and nobody else notices. */

let stage: Stage
let proxy: PoisonProxy
let producer: Producer
let subscriber: Subscriber

/** Comes with its retry copy alone. */
const isPoison = (bytes: Buffer) =>
  bytes.includes('POISON') || (bytes.includes('LATER') && bytes.includes('waybill-attempts'))

beforeEach(async () => {
  stage = await startStage()
  proxy = await poisonProxy(stage.vhost.endpoint.amqp, { isPoison })
  subscriber = await startSubscriber()
  producer = await connectProducer(stage.vhost.amqpUrl)
})
afterEach(async () => {
  await producer.close()
  await stage.close()
  await proxy.close()
  await subscriber.close()
})

const orders = Array.from({ length: 10 }, (_, index) => `order ${index}`)

/** Starts `billing` and others, whose subscriber answers 204 after 400 ms; `direct` without the proxy. */
const start = async (names: readonly string[], { direct = false, more = [] as object[], spec = {} } = {}) => {
  const through = new URL(stage.vhost.secret.connection_string)
  through.hostname = '127.0.0.1'
  through.port = String(proxy.port)
  const secret = direct ? stage.vhost.secret : { ...stage.vhost.secret, connection_string: through.href }
  subscriber.answer(({ body }) => ({ status: body.includes('LATER') ? 500 : 204, afterMs: 400 }))
  const all = ['billing', ...names]
  stage.folder.write('all', [
    ...brokerOf({ ...stage.vhost, secret }),
    ...all.flatMap((name) => [
      topicOf(name),
      subscriptionOf(name, name, subscriber.url, name === 'billing' ? {} : spec),
    ]),
    ...more,
  ])
  for (const name of all) await stage.condition(subscription, name, 'Ready', 'True')
}

const orderAll = () =>
  producer.publish(
    'shop.billing',
    orders.map((body) => ({ body })),
  )

const named = async (name: string) => {
  const { message } = await stage.condition(subscription, name, 'QueueUnreadable', 'True', 'ConnectionEnded')
  await stage.condition(subscription, name, 'Delivering', 'False', 'QueueUnreadable')
  return message
}

const noNeighbourNotices = async () => {
  const of = (body: string) => subscriber.received.filter((one) => one.body.toString() === body).length
  await eventually(() => orders.every((body) => of(body) >= 1))
  await eventually(async () => (await producer.channel.checkQueue('waybill.sub.shop.billing')).messageCount === 0)
  expect(Math.max(...orders.map(of))).toBeLessThanOrEqual(2)
  await stage.condition(subscription, 'billing', 'Delivering', 'True')
  expect((await producer.channel.checkQueue('waybill.dlq.shop.billing')).messageCount).toBe(0)
  await producer.publish('shop.billing', [{ body: 'one more' }])
  await eventually(() => of('one more') === 1)
}
const left = async (queue: string) => (await producer.channel.checkQueue(queue)).messageCount

test('a message with a UUID from an AMQP 1.0 producer: its queue is named within 10 s, with what to do', async () => {
  const { rabbitmq_version } = (await stage.vhost.manage('GET', '/overview')) as { rabbitmq_version: string }
  if (Number.parseInt(rabbitmq_version, 10) < 4) return
  await start(['erp'], { direct: true })
  await orderAll()
  const id = rhea.types.wrap_uuid(Buffer.alloc(16, 7))
  const begun = performance.now()
  await sendAmqp10(stage.vhost, 'waybill.sub.shop.erp', [{ body: 'hello', application_properties: { id } }])
  const message = await named('erp')
  expect(performance.now() - begun).toBeLessThan(10_000)
  expect(message).toContain('"waybill.sub.shop.erp"')
  expect(message).toContain('INTERNAL_ERROR')
  expect(message).toContain('shovel')
  await noNeighbourNotices()
  expect(await left('waybill.sub.shop.erp')).toBe(1)
  expect(await stage.metric('waybill_queue_unreadable', { subscription: 'erp' })).toBe(1)
  expect(await stage.metric('waybill_queue_unreadable', { subscription: 'billing' })).toBe(0)
  await producer.channel.purgeQueue('waybill.sub.shop.erp')
  await eventually(
    () => !stage.get(subscription, 'erp')?.status?.conditions?.some(({ type }) => type === 'QueueUnreadable'),
    {
      timeoutMs: 45_000,
    },
  )
  await stage.condition(subscription, 'erp', 'Delivering', 'True')
})

test('three culprits in three queues at once are named, and kept', async () => {
  await start(['one', 'two', 'three', 'four'])
  await orderAll()
  const culprits = ['one', 'two', 'four']
  await Promise.all(culprits.map((name) => producer.publish(`shop.${name}`, [{ body: 'POISON' }])))
  for (const name of culprits) await named(name)
  await noNeighbourNotices()
  for (const name of culprits) expect(await left(`waybill.sub.shop.${name}`)).toBe(1)
  await stage.condition(subscription, 'three', 'Delivering', 'True')
})

test('a culprit that comes back from a delay is named and kept', async () => {
  await start(['erp'], { spec: { delivery: { retry: { schedule: ['1s'] } } } })
  await producer.publish('shop.erp', [{ body: 'LATER' }])
  await eventually(() => subscriber.received.length === 1)
  await orderAll()
  await named('erp')
  await noNeighbourNotices()
  expect(await left('waybill.retry.shop.erp')).toBe(1)
})

test('a culprit in a Queue is named on the Subscription that takes from it by queueRef', async () => {
  const spec = { queueRef: { name: 'shared' }, subscriber: { url: subscriber.url } }
  await start([], { more: [queueOf('shared'), { ...subscriptionOf('work', '', ''), spec }] })
  await stage.condition(subscription, 'work', 'Ready', 'True')
  await orderAll()
  await producer.publish('', [{ routingKey: 'shop.shared', body: 'POISON' }])
  expect(await named('work')).toContain('"shop.shared"')
  await noNeighbourNotices()
  expect(await left('shop.shared')).toBe(1)
})
