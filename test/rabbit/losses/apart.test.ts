import { setTimeout as delay } from 'node:timers/promises'
import { connectAmqp } from '../../../src/rabbit/amqp/connect.ts'
import type { Amqp, ConsumerState, Delivery } from '../../../src/rabbit/amqp/port.ts'
import { logLines } from '../../support/log-lines.ts'
import { type PoisonProxy, poisonProxy } from '../../support/poison-proxy.ts'
import { connectProducer, type Producer } from '../../support/publish.ts'
import { freshVhost, type Vhost } from '../../support/vhost.ts'
import { eventually } from '../../support/wait.ts'

/** A message that ends the connection on which it is delivered is its own queue's problem. */

let vhost: Vhost
let producer: Producer
let proxy: PoisonProxy
let amqp: Amqp
let log: ReturnType<typeof logLines>

beforeAll(async () => {
  vhost = await freshVhost()
  producer = await connectProducer(vhost.amqpUrl)
})
afterAll(async () => {
  await producer.close()
  await vhost.drop()
})

const connect = async (options?: { cut: boolean }) => {
  proxy = await poisonProxy(vhost.endpoint.amqp, options)
  const endpoint = { ...vhost.endpoint, amqp: { ...vhost.endpoint.amqp, hostname: '127.0.0.1', port: proxy.port } }
  log = logLines()
  amqp = connectAmqp(endpoint, { name: 'test', log: log.log }, new AbortController().signal)
}
afterEach(async () => {
  await amqp.close()
  await proxy.close()
})

const fill = (queue: string, ...bodies: string[]) =>
  producer.publish(
    '',
    bodies.map((body) => ({ routingKey: queue, body })),
  )

const consume = async (name: string, work: (delivery: Delivery) => unknown = (delivery) => delivery.acknowledge()) => {
  const queue = `${name}-${Math.random().toString(36).slice(2)}`
  await producer.channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum' } })
  const bodies: string[] = []
  const states: ConsumerState[] = []
  const consumer = amqp.consume({
    queue,
    prefetch: 10,
    onState: (state) => states.push(state),
    onDelivery: (delivery) => {
      bodies.push(delivery.message.content.toString())
      void work(delivery)
    },
  })
  await eventually(() => states.at(-1)?.is === 'consuming')
  return { queue, bodies, states, consumer, unreadable: () => states.at(-1)?.unreadable }
}
const orders = Array.from({ length: 10 }, (_, index) => `order ${index}`)
const left = async (queue: string) => (await producer.channel.checkQueue(queue)).messageCount

const slow = async (delivery: Delivery) => {
  await delay(400)
  delivery.acknowledge()
}

test.each([{ cut: false }, { cut: true }])(
  'a culprit is named within 10 s and kept; a neighbour receives each message once (cut: $cut)',
  async (options) => {
    await connect(options)
    const billing = await consume('billing', slow)
    const erp = await consume('erp')
    await fill(billing.queue, ...orders)
    await fill(erp.queue, 'POISON')
    const { cause } = await eventually(() => erp.unreadable() ?? false, { timeoutMs: 10_000 })
    if (!options.cut) expect(cause).toContain('INTERNAL_ERROR')
    await eventually(async () => billing.bodies.length >= 10 && (await left(billing.queue)) === 0)
    await delay(1_000)
    expect(billing.bodies.toSorted()).toEqual(orders)
    expect(billing.unreadable()).toBeUndefined()
    expect(billing.states.at(-1)?.is).toBe('consuming')
    expect(await left(erp.queue)).toBe(1)
    await fill(billing.queue, 'another')
    await eventually(() => billing.bodies.at(-1) === 'another')
  },
  40_000,
)

test('three culprits in three queues are found at once, among thirty', async () => {
  await connect()
  const all = await Promise.all(Array.from({ length: 30 }, (_, index) => consume(`queue-${index}`)))
  for (const index of [3, 11, 12]) await fill(all[index]!.queue, 'before', 'POISON', 'after')
  const found = () => all.flatMap((each, index) => (each.unreadable() ? [index] : []))
  await eventually(() => found().length === 3, { timeoutMs: 10_000 })
  expect(found()).toEqual([3, 11, 12])
  for (const { queue } of all) await fill(queue, 'more')
  const others = all.filter((each) => each.unreadable() === undefined)
  await eventually(() => others.every(({ bodies }) => bodies.includes('more')))
  expect(log.lines.filter((line) => JSON.stringify(line).includes('Set a queue apart'))).toHaveLength(3)
}, 40_000)

test('what is before a culprit is delivered when it is tried alone; once the culprit is gone, the queue is consumed as ever', async () => {
  await connect()
  const erp = await consume('erp', slow)
  const other = await consume('other')
  await fill(erp.queue, 'one', 'two', 'POISON', 'three')
  await eventually(() => erp.unreadable() !== undefined, { timeoutMs: 10_000 })
  await eventually(() => erp.bodies.includes('two') && proxy.ended >= 3, { timeoutMs: 20_000 })
  expect(other.unreadable()).toBeUndefined()
  // A purge removes what is ready, and the culprit is in hand until the broker has seen that its connection is gone.
  await eventually(async () => (await left(erp.queue)) === 2)
  await producer.channel.purgeQueue(erp.queue)
  await fill(erp.queue, 'four')
  await eventually(() => erp.bodies.at(-1) === 'four' && erp.unreadable() === undefined, { timeoutMs: 45_000 })
  expect(erp.bodies.filter((body) => body === 'one')).toHaveLength(1)
})
