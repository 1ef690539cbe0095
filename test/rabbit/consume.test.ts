import { connectAmqp } from '../../src/rabbit/amqp/connect.ts'
import type { Amqp, ConsumerState, Delivery } from '../../src/rabbit/amqp/port.ts'
import { logLines } from '../support/log-lines.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

let vhost: Vhost
let producer: Producer
let amqp: Amqp
const { log, lines } = logLines()

beforeAll(async () => {
  vhost = await freshVhost()
  producer = await connectProducer(vhost.amqpUrl)
})
beforeEach(() => {
  amqp = connectAmqp(vhost.endpoint, { name: 'test', log }, new AbortController().signal)
})
afterEach(() => amqp.close())
afterAll(async () => {
  await producer.close()
  await vhost.drop()
})

let queues = 0
const createQueue = async (type: 'quorum' | 'classic' = 'quorum', name = `queue-${++queues}`): Promise<string> => {
  await producer.channel.assertQueue(name, { arguments: { 'x-queue-type': type } })
  return name
}
const fill = (queue: string, count: number) =>
  producer.publish(
    '',
    Array.from({ length: count }, (_, index) => ({ routingKey: queue, body: String(index) })),
  )
const ready = async (queue: string) => (await producer.channel.checkQueue(queue)).messageCount
const bodyOf = (delivery: Delivery) => delivery.message.content.toString()

/** A consumer that collects its deliveries and states. */
const consume = (queue: string, prefetch: number, onDelivery: (delivery: Delivery) => void = () => undefined) => {
  const deliveries: Delivery[] = []
  const states: ConsumerState[] = []
  const consumer = amqp.consume({
    queue,
    prefetch,
    onState: (state) => states.push(state),
    onDelivery: (delivery) => {
      deliveries.push(delivery)
      onDelivery(delivery)
    },
  })
  const becomes = (what: ConsumerState['is'], reason?: string) =>
    eventually(() => states.at(-1)?.is === what && (reason === undefined || states.at(-1)?.reason === reason))
  return { ...consumer, deliveries, states, becomes }
}
const acknowledge = (delivery: Delivery) => delivery.acknowledge()

test('every message is delivered once, in order, and is removed from its queue once acknowledged', async () => {
  const queue = await createQueue()
  await fill(queue, 500)
  const { deliveries, stop } = consume(queue, 10, acknowledge)
  await eventually(() => deliveries.length === 500)
  await stop()
  await amqp.close()
  expect(deliveries.map(bodyOf)).toEqual(Array.from({ length: 500 }, (_, index) => String(index)))
  expect(await ready(queue)).toBe(0)
})

test('a consumer receives no more unsettled messages than the prefetch allows', async () => {
  const queue = await createQueue()
  await fill(queue, 10)
  const { deliveries } = consume(queue, 3)
  await eventually(async () => (await ready(queue)) === 7)
  expect(deliveries.length).toBe(3)
  deliveries[1]!.acknowledge()
  await eventually(() => deliveries.length === 4)
  expect(await ready(queue)).toBe(6)
})

test('messages settled in any order leave nothing behind, and nothing is settled twice', async () => {
  const queue = await createQueue()
  await fill(queue, 2_000)
  const held: Delivery[] = []
  const settleSome = () => {
    while (held.length > 40) held.splice(Math.floor(Math.random() * held.length), 1)[0]!.acknowledge()
  }
  const consumer = consume(queue, 60, (delivery) => {
    held.push(delivery)
    settleSome()
  })
  await eventually(() => consumer.deliveries.length === 2_000)
  for (const delivery of held) {
    delivery.acknowledge()
    delivery.acknowledge()
  }
  await consumer.stop()
  await amqp.close()
  // The broker closes a channel that settles an unknown message; and closing requeues what was not settled.
  expect(consumer.states).toEqual([{ is: 'consuming' }])
  expect(consumer.deliveries.some(({ message }) => message.fields.redelivered)).toBe(false)
  expect(await ready(queue)).toBe(0)
})

test('a requeued message is redelivered', async () => {
  const queue = await createQueue()
  await fill(queue, 1)
  const { deliveries } = consume(queue, 1, (delivery) => {
    if (delivery.message.fields.redelivered) delivery.acknowledge()
    else delivery.requeue()
  })
  await eventually(() => deliveries.length === 2)
  await eventually(async () => (await ready(queue)) === 0)
})

test('a consumer that stops waits for the messages in flight and receives nothing new', async () => {
  const queue = await createQueue()
  await fill(queue, 20)
  const { deliveries, stop } = consume(queue, 5)
  await eventually(() => deliveries.length === 5)
  let isStopped = false
  const stopped = stop().then(() => {
    isStopped = true
  })
  for (const delivery of deliveries.slice(0, 4)) delivery.acknowledge()
  await fill(queue, 1)
  expect(isStopped).toBe(false)
  deliveries[4]!.acknowledge()
  await stopped
  expect(deliveries.length).toBe(5)
  await eventually(async () => (await ready(queue)) === 16)
})

test('a consumer that stops no longer waits when its signal aborts, and its messages can still be settled', async () => {
  const queue = await createQueue()
  await fill(queue, 2)
  const { deliveries, stop } = consume(queue, 2)
  await eventually(() => deliveries.length === 2)
  await stop(AbortSignal.timeout(20))
  expect(deliveries[0]!.lost).toBe(false)
  for (const delivery of deliveries) delivery.acknowledge()
  await amqp.close()
  expect(await ready(queue)).toBe(0)
})

test('messages on their way to a consumer that stops go back to the queue', async () => {
  const queue = await createQueue()
  await fill(queue, 3_000)
  const { deliveries, stop } = consume(queue, 500, acknowledge)
  await eventually(() => deliveries.length > 200, { everyMs: 0 })
  await stop()
  const taken = deliveries.length
  await amqp.close()
  expect(deliveries.length).toBe(taken)
  await eventually(async () => (await ready(queue)) === 3_000 - taken)
})

test('a consumer waits for a queue that does not exist yet', async () => {
  const queue = `queue-${++queues}`
  const consumer = consume(queue, 1, acknowledge)
  await consumer.becomes('waiting', 'the queue does not exist')
  await createQueue('quorum', queue)
  await fill(queue, 3)
  await eventually(() => consumer.deliveries.length === 3)
  await consumer.becomes('consuming')
})

test('a consumer that waits for its queue stops at once', async () => {
  const consumer = consume(`queue-${++queues}`, 1)
  await consumer.becomes('waiting', 'the queue does not exist')
  await consumer.stop()
})

test.each(['quorum', 'classic'] as const)(
  'a %s queue that is deleted and created again is consumed again',
  async (type) => {
    const queue = await createQueue(type)
    await fill(queue, 4)
    const consumer = consume(queue, 2)
    await eventually(() => consumer.deliveries.length === 2)
    await producer.channel.deleteQueue(queue)
    await consumer.becomes('waiting')
    for (const delivery of consumer.deliveries) delivery.acknowledge()
    await createQueue(type, queue)
    await fill(queue, 2)
    await consumer.becomes('consuming')
    await eventually(() => consumer.deliveries.length === 4)
  },
)

test('a handler that throws loses no message and affects no other consumer', async () => {
  const [broken, sound] = [await createQueue(), await createQueue()]
  await fill(broken, 1)
  await fill(sound, 1)
  consume(broken, 1, () => {
    throw new Error('a fault of the handler')
  })
  const { deliveries } = consume(sound, 1, acknowledge)
  await eventually(() => deliveries.length === 1)
  await eventually(() =>
    lines.find((line) => line.level === 'error' && String(line.message).startsWith('Could not process a message')),
  )
  await amqp.close()
  await eventually(async () => (await ready(broken)) === 1)
})

describe('many consumers on shared channels', () => {
  const names = Array.from({ length: 90 }, (_, index) => `shared-${index}`)
  const userName = `waybill-test-${process.pid}-${Math.random().toString(36).slice(2)}`
  const permit = (read: string) =>
    vhost.manage('PUT', `/permissions/${vhost.name}/${userName}`, { configure: '.*', write: '.*', read })

  beforeAll(async () => {
    await vhost.manage('PUT', `/users/${userName}`, { password: 'secret', tags: '' })
    await Promise.all(names.map((name) => createQueue('classic', name)))
  })
  afterAll(() => vhost.manage('DELETE', `/users/${userName}`))

  test('a consumer that settles nothing does not hold up others on its channel', async () => {
    await Promise.all(names.map((name) => fill(name, 30)))
    const consumers = names.map((name, index) => consume(name, 4, index % 9 === 0 ? undefined : acknowledge))
    const counts = names.map((_, index) => (index % 9 === 0 ? 4 : 30))
    await eventually(() => consumers.every(({ deliveries }, index) => deliveries.length === counts[index]))
    await Promise.all(consumers.map(({ stop }) => stop(AbortSignal.timeout(200))))
    await amqp.close()
    const left = await Promise.all(names.map(ready))
    expect(left).toEqual(names.map((_, index) => (index % 9 === 0 ? 30 : 0)))
    await Promise.all(names.map((name) => producer.channel.purgeQueue(name)))
  })

  test('a consumer that the broker refuses does not keep others from consuming', async () => {
    await permit('^(?!shared-77$)')
    await amqp.close()
    const endpoint = { ...vhost.endpoint, username: userName, password: 'secret' }
    amqp = connectAmqp(endpoint, { name: 'test', log }, new AbortController().signal)
    const consumers = names.map((name) => consume(name, 4, acknowledge))
    await consumers[77]!.becomes('waiting')
    const others = consumers.filter((_, index) => index !== 77)
    await eventually(() => others.every(({ states }) => states.at(-1)?.is === 'consuming'))
    await permit('.*')
    await consumers[77]!.becomes('consuming')
    const changes = others.flatMap(({ states }) => states).length
    await Promise.all(names.map((name) => fill(name, 1)))
    await eventually(() => consumers.every(({ deliveries }) => deliveries.length === 1))
    expect(others.flatMap(({ states }) => states).length).toBe(changes)
  })
})
