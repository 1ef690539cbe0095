import { setTimeout as delay } from 'node:timers/promises'
import { connectAmqp } from '../../src/rabbit/amqp/connect.ts'
import type { Amqp, Delivery } from '../../src/rabbit/amqp/port.ts'
import { logLines } from '../support/log-lines.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

let vhost: Vhost
let producer: Producer
let amqp: Amqp
let log: ReturnType<typeof logLines>

const queue = 'stalled'
beforeEach(async () => {
  vhost = await freshVhost()
  producer = await connectProducer(vhost.amqpUrl)
  await producer.channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum' } })
  log = logLines()
})
afterEach(async () => {
  await amqp.close()
  await producer.close()
  await vhost.drop()
})

/** Nothing runs meanwhile: to the broker it is the same as SIGSTOP, and to timers and sockets as a long computation. */
const stall = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

const consume = (heartbeatSeconds?: number) => {
  const options = heartbeatSeconds === undefined ? {} : { heartbeatSeconds }
  amqp = connectAmqp(vhost.endpoint, { name: 'test', log: log.log, ...options }, new AbortController().signal)
  const deliveries: Delivery[] = []
  amqp.consume({ queue, prefetch: 10, onState: () => undefined, onDelivery: (delivery) => deliveries.push(delivery) })
  return deliveries
}
const publish = (...bodies: string[]) =>
  producer.publish(
    '',
    bodies.map((body) => ({ routingKey: queue, body })),
  )
const lost = () => log.lines.filter(({ message }) => /Lost/.test(message))
const left = async () => (await producer.channel.checkQueue(queue)).messageCount

test('a process whose event loop stalls for 2 s again and again keeps its connections', async () => {
  const deliveries = consume()
  for (let stalls = 1; stalls <= 5; stalls += 1) {
    await publish(`message ${stalls}`)
    stall(2_000)
    await eventually(() => deliveries.length === stalls)
    deliveries.at(-1)!.acknowledge()
    await delay(50)
  }
  expect(lost()).toEqual([])
  await amqp.close()
  expect(await left()).toBe(0)
}, 40_000)

test('a process that was paused for longer than its heartbeats allow settles what it held, on a new connection', async () => {
  const deliveries = consume(1)
  await publish('one', 'two', 'three')
  await eventually(() => deliveries.length === 3)
  stall(6_000)
  await eventually(() => lost().length > 0)
  await eventually(() => deliveries.every((delivery) => !delivery.lost))
  for (const delivery of deliveries) delivery.acknowledge()
  await publish('four')
  await eventually(() => deliveries.length === 4)
  deliveries[3]!.acknowledge()
  expect(deliveries.map(({ message }) => message.content.toString())).toEqual(['one', 'two', 'three', 'four'])
  await amqp.close()
  expect(await left()).toBe(0)
}, 40_000)
