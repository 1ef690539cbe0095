import { connect } from 'amqplib'
import type { Message } from '../../src/delivery/message/message.ts'
import { browse } from '../../src/rabbit/amqp/holding/browse.ts'
import { consumerTags } from '../../src/rabbit/amqp/holding/consumers.ts'
import { dialectOf } from '../../src/topology/dialect.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

const queue = 'waybill.dlq.shop.billing'
let vhost: Vhost
let stop: AbortController

beforeEach(async () => {
  vhost = await freshVhost()
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await vhost.drop()
})

/** A queue as Waybill declares it for dead letters, with so many messages in it. */
const filled = async (count: number): Promise<void> => {
  const { rabbitmq_version: version } = (await vhost.manage('GET', '/overview')) as { rabbitmq_version: string }
  const { deliveryLimit } = dialectOf(version)
  if (deliveryLimit !== undefined) {
    const policy = { pattern: '^waybill', 'apply-to': 'queues', definition: { 'delivery-limit': deliveryLimit } }
    await vhost.manage('PUT', `/policies/${vhost.name}/kept`, policy)
  }
  await using client = await open()
  await client.channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum' } })
  await client.add(0, count)
}

const open = async () => {
  const connection = await connect(vhost.amqpUrl)
  const channel = await connection.createConfirmChannel()
  const add = async (from: number, to: number): Promise<void> => {
    for (let each = from; each < to; each++) {
      channel.sendToQueue(queue, Buffer.from(`${each}`), { persistent: true })
    }
    await channel.waitForConfirms()
  }
  return { channel, add, [Symbol.asyncDispose]: () => connection.close() }
}

/** All messages that are in the queue, in order, taken out by a client that is not ours. */
const drained = async (count: number): Promise<string[]> => {
  await using client = await open()
  const bodies: string[] = []
  await client.channel.prefetch(0)
  await client.channel.consume(queue, (message) => {
    if (message) bodies.push(message.content.toString())
    if (message) client.channel.ack(message)
  })
  await eventually(() => bodies.length >= count, { timeoutMs: 60_000 })
  return bodies
}

const readyOf = async (): Promise<number> => {
  await using client = await open()
  return (await client.channel.checkQueue(queue)).messageCount
}

const seen = async (most = 200_000): Promise<string[]> => {
  const bodies: string[] = []
  const look = ({ content }: Message) => void bodies.push(content.toString())
  await browse(vhost.endpoint, { queue, most, look }, stop.signal)
  return bodies
}

const sequence = (count: number): string[] => Array.from({ length: count }, (_, each) => String(each))

test('to look at a queue changes neither its order nor its messages, however often it is done', async () => {
  await filled(1_000)
  for (let round = 0; round < 50; round++) expect(await seen()).toEqual(sequence(1_000))
  await eventually(async () => (await readyOf()) === 1_000)
  expect(await drained(1_000)).toEqual(sequence(1_000))
})

test('what many consumers hold is requeued in order', async () => {
  await filled(50_000)
  expect(await seen()).toEqual(sequence(50_000))
  expect(await seen()).toEqual(sequence(50_000))
  expect(await drained(50_000)).toEqual(sequence(50_000))
})

test('where all consumers but the last one are full, that one asks for no more than AMQP has room for', async () => {
  await filled(31_000)
  expect(await seen()).toEqual(sequence(31_000))
})

test('consumers are in the order of their tags, which is that in which RabbitMQ requeues what each of them held', () => {
  expect(consumerTags.toSorted()).toEqual(consumerTags)
  expect(consumerTags.length).toBeLessThanOrEqual(32)
})

test('while somebody looks, everything else in the process has its turn after each read', async () => {
  await filled(5_000)
  let [inTurn, most] = [0, 0]
  let isDue = false
  const ended = (): void => {
    most = Math.max(most, inTurn)
    inTurn = 0
    isDue = false
  }
  const look = (): void => {
    inTurn += 1
    if (!isDue) setImmediate(ended)
    isDue = true
    // Slower than the broker, so that there is always more to read.
    for (const until = performance.now() + 0.2; performance.now() < until; );
  }
  await browse(vhost.endpoint, { queue, most: 10_000, look }, stop.signal)
  // What one read of 64 KiB holds.
  expect(most).toBeLessThan(1_500)
})

test('what comes while somebody looks is behind the rest', async () => {
  await filled(200)
  const hold = Promise.withResolvers<void>()
  const bodies: string[] = []
  const looking = browse(
    vhost.endpoint,
    {
      queue,
      most: 10_000,
      look: ({ content }) => {
        bodies.push(content.toString())
        hold.resolve()
      },
    },
    stop.signal,
  )
  await hold.promise
  await using client = await open()
  await client.add(200, 250)
  await looking
  expect(bodies.slice(0, 200)).toEqual(sequence(200))
  expect(await seen()).toEqual(sequence(250))
  expect(await drained(250)).toEqual(sequence(250))
})

test('when the connection is lost, everything is in its place again', async () => {
  await filled(500)
  const held = Promise.withResolvers<void>()
  let count = 0
  const looking = browse(
    vhost.endpoint,
    {
      queue,
      most: 10_000,
      look: () => {
        count += 1
        if (count === 500) held.resolve()
      },
    },
    stop.signal,
  )
  await held.promise
  stop.abort()
  await looking.catch(() => undefined)
  await eventually(async () => (await readyOf()) === 500, { timeoutMs: 30_000 })
  stop = new AbortController()
  expect(await drained(500)).toEqual(sequence(500))
})

test('a queue that does not exist is an error, not an empty queue', async () => {
  await expect(seen()).rejects.toMatchObject({ name: 'EndedError' })
})

test('an empty queue is seen at once', async () => {
  await filled(0)
  expect(await seen()).toEqual([])
})

test('where somebody else has messages in hand, nothing is held, which would change their order', async () => {
  await filled(100)
  const browsed = () => browse(vhost.endpoint, { queue, most: 10_000, look: () => undefined }, stop.signal)
  const client = await open()
  await client.channel.prefetch(40)
  const { consumerTag } = await client.channel.consume(queue, () => undefined)
  await eventually(async () => (await readyOf()) === 60)
  expect(await browsed()).toEqual({ seen: 0, isAlone: false, isComplete: false })
  await client.channel.cancel(consumerTag)
  await client[Symbol.asyncDispose]()
  await eventually(async () => (await readyOf()) === 100)
  expect(await browsed()).toEqual({ seen: 100, isAlone: true, isComplete: true })
  expect(await drained(100)).toEqual(sequence(100))
})
