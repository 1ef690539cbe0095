import { connectAmqp } from '../../src/rabbit/amqp/connect.ts'
import { BytesInHand } from '../../src/rabbit/amqp/deliveries/bytes-in-hand.ts'
import type { Delivery } from '../../src/rabbit/amqp/port.ts'
import { connectProducer } from '../support/publish.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

const size = 4 * 1024 * 1024
const count = 16
const limit = 2 * size

test('large messages of many consumers are read only as far as the limit, and all are delivered', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const vhost = cleanUp.adopt(await freshVhost(), ({ drop }) => drop())
  const producer = cleanUp.adopt(await connectProducer(vhost.amqpUrl), ({ close }) => close())
  const queues = ['one', 'two']
  for (const queue of queues) {
    await producer.channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    for (let index = 0; index < count / 2; index += 1)
      await producer.publish('', [{ routingKey: queue, body: Buffer.alloc(size) }])
  }
  const inHand = new BytesInHand(limit)
  const warned: unknown[] = []
  const log = { info: () => {}, warn: (...args: unknown[]) => warned.push(args), error: () => {} }
  const amqp = cleanUp.adopt(
    connectAmqp(vhost.endpoint, { name: 'bytes', log, inHand, heartbeatSeconds: 1 }, AbortSignal.timeout(120_000)),
    ({ close }) => close(),
  )
  const held: Delivery[] = []
  let most = 0
  const onDelivery = (delivery: Delivery): void => {
    held.push(delivery)
    most = Math.max(most, inHand.bytes)
  }
  for (const queue of queues) amqp.consume({ queue, prefetch: count, onDelivery, onState: () => {} })

  await eventually(() => held.length >= 3)
  // Longer than a broker may be silent: it is not, and nobody takes it for that.
  const since = performance.now()
  await eventually(() => performance.now() - since > 4_000)
  expect(held.length).toBe(3)

  let delivered = 0
  while (delivered < count) {
    const next = await eventually(() => held.shift())
    next.acknowledge()
    delivered += 1
  }
  expect(most).toBeLessThanOrEqual(limit + size + 1_000)
  expect(inHand.bytes).toBe(0)
  expect(warned).toEqual([])
})

test('what is held for long does not keep everybody else waiting for ever', async () => {
  const inHand = new BytesInHand(100, 50)
  const reads: boolean[] = []
  const tap = { pauseReading: () => void reads.push(false), resumeReading: () => void reads.push(true) }
  inHand.add(101, tap)
  expect(reads).toEqual([false])
  await eventually(() => reads.length === 2)
  inHand.add(20, tap)
  expect(reads).toEqual([false, true])
  inHand.add(20, tap)
  expect(reads).toEqual([false, true, false])
  inHand.remove(141)
  expect(reads).toEqual([false, true, false, true])
  inHand.add(101, tap)
  expect(reads).toEqual([false, true, false, true, false])
})
