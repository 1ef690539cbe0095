import { setTimeout as delay } from 'node:timers/promises'
import { connectAmqp } from '../../src/rabbit/amqp/connect.ts'
import type { Amqp, ConsumerState, Delivery } from '../../src/rabbit/amqp/port.ts'
import { logLines } from '../support/log-lines.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

let vhost: Vhost
let producer: Producer
let proxy: TcpProxy
let amqp: Amqp
let queue: string

beforeAll(async () => {
  vhost = await freshVhost()
  producer = await connectProducer(vhost.amqpUrl)
})
beforeEach(async () => {
  proxy = await tcpProxy(vhost.endpoint.amqp)
  const endpoint = { ...vhost.endpoint, amqp: { ...vhost.endpoint.amqp, hostname: '127.0.0.1', port: proxy.port } }
  amqp = connectAmqp(endpoint, { name: 'test', log: logLines().log }, new AbortController().signal)
  queue = `queue-${Math.random().toString(36).slice(2)}`
  await producer.channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum' } })
})
afterEach(async () => {
  await amqp.close()
  await proxy.close()
})
afterAll(async () => {
  await producer.close()
  await vhost.drop()
})

/** Publishes bodies that count from `from`. */
const fill = (count: number, from = 0) =>
  producer.publish(
    '',
    Array.from({ length: count }, (_, index) => ({ routingKey: queue, body: String(from + index) })),
  )
const waiting = async () => (await producer.channel.checkQueue(queue)).messageCount
const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index))
const acknowledge = (delivery: Delivery) => delivery.acknowledge()

const consume = (prefetch: number, onDelivery: (delivery: Delivery) => void = () => undefined) => {
  const deliveries: Delivery[] = []
  const states: ConsumerState['is'][] = []
  const consumer = amqp.consume({
    queue,
    prefetch,
    onState: ({ is }) => states.push(is),
    onDelivery: (delivery) => {
      deliveries.push(delivery)
      onDelivery(delivery)
    },
  })
  const becomes = (state: ConsumerState['is']) => eventually(() => states.at(-1) === state)
  const bodies = () => deliveries.map(({ message }) => message.content.toString())
  return { ...consumer, deliveries, states, becomes, bodies }
}

test('a paused consumer receives nothing, and gets the messages in its queue in order once it is resumed', async () => {
  const consumer = consume(10, acknowledge)
  await consumer.becomes('consuming')
  consumer.pause()
  consumer.pause()
  await consumer.becomes('paused')
  await fill(100)
  expect(await waiting()).toBe(100)
  await delay(100)
  expect(consumer.deliveries).toEqual([])
  consumer.resume()
  consumer.resume()
  await eventually(() => consumer.deliveries.length === 100)
  expect(consumer.bodies()).toEqual(numbers(100))
  expect(consumer.deliveries.some(({ message }) => message.fields.redelivered)).toBe(false)
  expect(consumer.states.filter((state) => state !== 'waiting')).toEqual(['consuming', 'paused', 'consuming'])
  await consumer.stop()
})

test('a consumer paused in the middle receives each message once', async () => {
  await fill(2_000)
  const consumer = consume(50, (delivery) => {
    // Acknowledged later, so that messages are on their way at each pause.
    setImmediate(acknowledge, delivery)
  })
  for (const part of [200, 700, 1_200]) {
    await eventually(() => consumer.deliveries.length >= part, { everyMs: 0 })
    consumer.pause()
    const taken = consumer.deliveries.length
    await consumer.becomes('paused')
    await delay(20)
    expect(consumer.deliveries).toHaveLength(taken)
    consumer.resume()
  }
  await eventually(() => consumer.deliveries.length === 2_000)
  // In any order: the broker takes what was on its way back, RabbitMQ 3 only when the channel closes.
  expect(consumer.bodies().toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(2_000))
  await consumer.stop()
  await amqp.close()
  expect(await waiting()).toBe(0)
})

test('a consumer that is paused and resumed at once continues', async () => {
  const consumer = consume(5, acknowledge)
  await consumer.becomes('consuming')
  for (let times = 0; times < 5; times++) {
    consumer.pause()
    consumer.resume()
  }
  await fill(20)
  await eventually(() => consumer.deliveries.length === 20)
  // In any order: what was on its way to the consumer that was cancelled comes again later.
  expect(consumer.bodies().toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(20))
})

test('messages in flight can be acknowledged while their consumer is paused', async () => {
  await fill(5)
  const consumer = consume(3)
  await eventually(() => consumer.deliveries.length === 3)
  consumer.pause()
  await consumer.becomes('paused')
  for (const delivery of consumer.deliveries) {
    expect(delivery.lost).toBe(false)
    delivery.acknowledge()
  }
  await delay(50)
  expect(consumer.deliveries).toHaveLength(3)
  await consumer.stop()
  await amqp.close()
  expect(await waiting()).toBe(2)
})

test('a consumer receives no more than the prefetch after a pause, including messages from before it', async () => {
  await fill(20)
  const consumer = consume(4)
  await eventually(() => consumer.deliveries.length === 4)
  consumer.pause()
  await consumer.becomes('paused')
  consumer.resume()
  await consumer.becomes('consuming')
  await eventually(async () => (await waiting()) <= 12)
  expect(consumer.deliveries).toHaveLength(4)
  for (let settled = 0; settled < 20; settled++) {
    await eventually(() => consumer.deliveries.length > settled)
    expect(consumer.deliveries.length).toBeLessThanOrEqual(settled + 4)
    consumer.deliveries[settled]?.acknowledge()
  }
  expect(consumer.bodies()).toEqual(numbers(20))
  await consumer.stop()
})

test('a pause of a consumer outlasts a reconnect, and what was in flight can be acknowledged after it', async () => {
  await fill(4)
  const consumer = consume(2)
  await eventually(() => consumer.deliveries.length === 2)
  consumer.pause()
  await consumer.becomes('paused')
  proxy.cut()
  await eventually(async () => (await waiting()) === 4)
  await eventually(() => isUp())
  await delay(100)
  expect(consumer.states.at(-1)).toBe('paused')
  expect(consumer.deliveries).toHaveLength(2)
  consumer.resume()
  await eventually(async () => (await waiting()) === 2)
  for (const delivery of consumer.deliveries) delivery.acknowledge()
  await eventually(() => consumer.deliveries.length === 4)
  expect(consumer.bodies()).toEqual(numbers(4))
})

test('a consumer can be paused and resumed while the broker is away', async () => {
  const port = proxy.port
  await fill(3)
  await proxy.close()
  const consumer = consume(10, acknowledge)
  await consumer.becomes('waiting')
  consumer.pause()
  await consumer.becomes('paused')
  proxy = await tcpProxy(vhost.endpoint.amqp, port)
  await eventually(() => isUp())
  await delay(100)
  expect(consumer.deliveries).toEqual([])
  consumer.resume()
  await eventually(() => consumer.deliveries.length === 3)
  await consumer.becomes('consuming')
})

test('a consumer can be stopped while it is paused, and its unsettled messages go back to the queue', async () => {
  await fill(500)
  const consumer = consume(50, (delivery) => setImmediate(acknowledge, delivery))
  await eventually(() => consumer.deliveries.length > 100, { everyMs: 0 })
  consumer.pause()
  await consumer.becomes('paused')
  await consumer.stop()
  consumer.resume()
  const taken = consumer.deliveries.length
  await amqp.close()
  await eventually(async () => (await waiting()) === 500 - taken)
  expect(consumer.deliveries).toHaveLength(taken)
})

const isUp = (): boolean => {
  let state: string | undefined
  amqp.onState(({ consuming }) => {
    state = consuming
  })()
  return state === 'up'
}
