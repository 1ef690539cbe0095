import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'
import { eventually } from '../support/wait.ts'

let stage: Stage
let producer: Producer
let subscriber: Subscriber

beforeEach(async () => {
  stage = await startStage({ drainTimeoutMs: 2_000 })
  subscriber = await startSubscriber()
  producer = await connectProducer(stage.vhost.amqpUrl)
  stage.folder.write('base', [...brokerOf(stage.vhost), topicOf('orders')])
})
afterEach(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

const subscribe = async (spec: object = {}, to = subscriber.url): Promise<void> => {
  stage.folder.write('billing', [subscriptionOf('billing', 'orders', to, spec)])
}
const ready = () => stage.condition(subscription, 'billing', 'Ready', 'True', 'Ready')
const publish = (count: number): Promise<string[]> =>
  producer.publish(
    'shop.orders',
    Array.from({ length: count }, () => ({ routingKey: 'order.placed', body: 'x' })),
  )
const idsAt = (...at: Subscriber[]): string[] =>
  at.flatMap(({ received }) => received.map(({ headers }) => String(headers['ce-id'])))
const consumers = async (): Promise<number> =>
  (await producer.channel.checkQueue('waybill.sub.shop.billing')).consumerCount

test('a subscription suspended and resumed delivers nothing in between and loses nothing', async () => {
  await subscribe()
  await ready()
  const first = await publish(5)
  await eventually(() => subscriber.received.length === 5)
  await subscribe({ suspend: true })
  await stage.condition(subscription, 'billing', 'Suspended', 'True', 'Suspended')
  await stage.condition(subscription, 'billing', 'Ready', 'True', 'Suspended')
  await eventually(async () => (await consumers()) === 0)
  const second = await publish(5)
  await eventually(async () => (await producer.channel.checkQueue('waybill.sub.shop.billing')).messageCount === 5)
  expect(subscriber.received).toHaveLength(5)
  await subscribe()
  await eventually(() => subscriber.received.length === 10)
  expect(idsAt(subscriber).toSorted()).toEqual([...first, ...second].toSorted())
  await ready()
  await stage.noCondition(subscription, 'billing', 'Suspended')
})

test('deliveries in flight when a subscription is suspended finish, are counted, and do not resume it', async () => {
  subscriber.answer(() => ({ status: 200, afterMs: 700 }))
  await subscribe({ delivery: { concurrency: 3 } })
  await ready()
  await publish(10)
  await eventually(() => subscriber.received.length === 3)
  await subscribe({ delivery: { concurrency: 3 }, suspend: true })
  await stage.condition(subscription, 'billing', 'Suspended', 'True', 'Suspended')
  await eventually(() => subscriber.received.every(({ status }) => status === 200))
  await eventually(async () => (await stage.metric('waybill_delivery_attempts_total', { outcome: 'delivered' })) === 3)
  // Two writes of the reporter later it still stands.
  const writes = await stage.metric('waybill_status_writes_total')
  stage.folder.write('more', [subscriptionOf('other', 'orders', subscriber.url)])
  await eventually(async () => (await stage.metric('waybill_status_writes_total')) >= writes + 2)
  await stage.condition(subscription, 'billing', 'Delivering', 'False', 'Suspended')
  expect(subscriber.received.filter(({ headers }) => headers['ce-id'])).toHaveLength(3)
})

test('each message arrives once, at the old or the new address, when the address changes while messages flow', async () => {
  const other = await startSubscriber()
  await subscribe()
  await ready()
  const published = await publish(20)
  await subscribe({}, other.url)
  await eventually(async () => {
    published.push(...(await publish(20)))
    return other.received.length >= 100
  })
  await eventually(() => idsAt(subscriber, other).length >= published.length)
  expect(idsAt(subscriber, other).toSorted()).toEqual(published.toSorted())
  await other.close()
})

test('a subscription can deliver from a Queue resource, with retries', async () => {
  stage.folder.write('queue', [
    queueOf('work', { bindings: [{ topicRef: { name: 'orders' } }] }),
    {
      ...subscriptionOf('billing', 'orders', subscriber.url),
      spec: {
        queueRef: { name: 'work' },
        subscriber: { url: subscriber.url },
        delivery: { retry: { schedule: ['100ms'] } },
      },
    },
  ])
  await ready()
  subscriber.answer((one) => (subscriber.received.indexOf(one) === 0 ? 503 : 200))
  await publish(1)
  await eventually(() => subscriber.received.length === 2)
  expect(subscriber.received.map(({ headers }) => headers['waybill-attempt'])).toEqual(['1', '2'])
})

describe('the shutdown of a dispatcher', () => {
  test('a dispatcher that shuts down finishes deliveries in flight, consumes nothing new and loses nothing', async () => {
    subscriber.answer(() => ({ status: 200, afterMs: 500 }))
    await subscribe({ delivery: { concurrency: 4 } })
    await ready()
    await publish(20)
    await eventually(() => subscriber.received.length >= 4)
    const taken = subscriber.received.length
    await stage.end()
    expect(subscriber.received.length).toBeLessThanOrEqual(taken + 4)
    expect(subscriber.received.every(({ status }) => status === 200)).toBe(true)
    const left = await producer.look('waybill.sub.shop.billing')
    expect(left.length + subscriber.received.length).toBe(20)
    expect(left.every(({ fields }) => !fields.redelivered)).toBe(true)
  })

  test('a dispatcher that shuts down requeues messages whose delivery does not finish in time', async () => {
    subscriber.answer(() => 'hang')
    await subscribe({ delivery: { concurrency: 4 } })
    await ready()
    await publish(20)
    await eventually(() => subscriber.received.length === 4)
    const begun = performance.now()
    await stage.end()
    expect(performance.now() - begun).toBeLessThan(8_000)
    expect(await producer.look('waybill.sub.shop.billing')).toHaveLength(20)
  })
})

test('no message is lost when the connection to the broker is lost, and what arrives twice has the same id', async () => {
  const { vhost, folder } = stage
  const behind = new URL(vhost.amqpUrl)
  const proxy = await tcpProxy({ hostname: behind.hostname, port: Number(behind.port) })
  const through = new URL(vhost.secret.connection_string)
  through.port = String(proxy.port)
  const secret = { ...vhost.secret, connection_string: through.href }
  folder.write('base', [...brokerOf({ ...vhost, secret }), topicOf('orders')])
  await subscribe({ delivery: { concurrency: 5 } })
  await ready()
  subscriber.answer(() => ({ status: 200, afterMs: 5 }))
  const published = await publish(300)
  for (const part of [50, 150, 250]) {
    await eventually(() => subscriber.received.length >= part)
    proxy.cut()
  }
  await eventually(() => new Set(idsAt(subscriber)).size === 300)
  expect(new Set(idsAt(subscriber))).toEqual(new Set(published))
  const webhookIds = new Map(subscriber.received.map(({ headers }) => [headers['ce-id'], headers['webhook-id']]))
  for (const { headers } of subscriber.received) expect(headers['webhook-id']).toBe(webhookIds.get(headers['ce-id']))
  // Five in flight at each cut, and up to five acknowledged in the batch that did not arrive.
  expect(subscriber.received.length - 300).toBeLessThanOrEqual(3 * 10)
  await ready()
  await stage.end()
  await proxy.close()
})

test('an unreachable broker is reported on the subscription, and delivery resumes when it is back', async () => {
  const { vhost, folder } = stage
  const behind = new URL(vhost.amqpUrl)
  const target = { hostname: behind.hostname, port: Number(behind.port) }
  const proxy = await tcpProxy(target)
  const through = new URL(vhost.secret.connection_string)
  through.port = String(proxy.port)
  const secret = { ...vhost.secret, connection_string: through.href }
  folder.write('base', [...brokerOf({ ...vhost, secret }), topicOf('orders')])
  await subscribe()
  await ready()
  await proxy.close()
  await stage.condition(subscription, 'billing', 'Delivering', 'False', 'BrokerUnreachable')
  await publish(3)
  const again = await tcpProxy(target, proxy.port)
  await eventually(() => subscriber.received.length === 3)
  await ready()
  await stage.end()
  await again.close()
})
