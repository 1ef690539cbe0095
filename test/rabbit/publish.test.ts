import type { Copy } from '../../src/delivery/message/copy.ts'
import { connectAmqp } from '../../src/rabbit/amqp/connect.ts'
import type { Amqp } from '../../src/rabbit/amqp/port.ts'
import type { PublishError } from '../../src/rabbit/amqp/publish-error.ts'
import { encodedBytes } from '../support/foreign-codec.ts'
import { logLines } from '../support/log-lines.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

let vhost: Vhost
let producer: Producer
let amqp: Amqp
let queue: string
const { log } = logLines()

beforeAll(async () => {
  vhost = await freshVhost()
  producer = await connectProducer(vhost.amqpUrl)
  amqp = connectAmqp(vhost.endpoint, { name: 'test', log, confirmTimeoutMs: 5_000 }, new AbortController().signal)
})
beforeEach(async () => {
  await eventually(() => isUp(amqp))
  queue = `queue-${Math.random().toString(36).slice(2)}`
  await producer.channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum' } })
})
afterAll(async () => {
  await amqp.close()
  await producer.close()
  await vhost.drop()
})

const isUp = (one: Amqp): boolean => {
  let publishing: string | undefined
  one.onState((state) => {
    publishing = state.publishing
  })()
  return publishing === 'up'
}
const copy = (exchange: string, routingKey: string, body = Buffer.from('body'), properties = {}): Copy => ({
  ...{ exchange, routingKey, body },
  properties: encodedBytes({ headers: {}, deliveryMode: 2, ...properties }),
})
/** Which kind of failure it was, or that there was none. */
const outcome = (published: Promise<void>): Promise<string> =>
  published.then(
    () => 'confirmed',
    (error: PublishError) => error.kind,
  )

test('a confirmed copy is in its queue, persistent, with its properties and its body', async () => {
  const headers = { 'waybill-attempt': 3, nested: { list: [1, 'two', true] } }
  const properties = {
    headers,
    messageId: 'id',
    contentType: 'text/plain',
    timestamp: 1_700_000_000,
  }
  await amqp.publish(copy('', queue, Buffer.from('whole'), properties))
  const [message] = await producer.look(queue)
  expect(message!.content.toString()).toBe('whole')
  expect(message!.properties).toMatchObject({
    ...{ headers, messageId: 'id', contentType: 'text/plain', timestamp: 1_700_000_000, deliveryMode: 2 },
  })
})

test.each([0, 1, 1_900, 2_100, 131_072, 10 * 1024 * 1024])(
  'a published body of %d bytes arrives whole',
  async (length) => {
    const body = Buffer.alloc(length, 'waybill')
    await amqp.publish(copy('', queue, body))
    const [message] = await producer.look(queue)
    expect(message!.content.equals(body)).toBe(true)
  },
)

test('a copy without a matching queue is returned, and the others are confirmed', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 300 }, (_, index) => outcome(amqp.publish(copy('', index % 3 === 0 ? 'nowhere' : queue)))),
  )
  expect(outcomes).toEqual(outcomes.map((_, index) => (index % 3 === 0 ? 'returned' : 'confirmed')))
  await eventually(async () => (await producer.channel.checkQueue(queue)).messageCount === 200)
})

test('no copy counts as confirmed when its queue is deleted meanwhile', async () => {
  const published = Array.from({ length: 400 }, (_, index) =>
    outcome(amqp.publish(copy('', queue, Buffer.from(`${index}`)))),
  )
  await producer.channel.deleteQueue(queue)
  const late = Array.from({ length: 400 }, () => outcome(amqp.publish(copy('', queue))))
  // RabbitMQ 3.10 may drop the connection over it, or never answer on it again: then another one takes over.
  for (const one of await Promise.all(late)) expect(['returned', 'lost', 'timeout']).toContain(one)
  await Promise.all(published)
  await eventually(async () => (await outcome(amqp.publish(copy('', queue)))) === 'returned')
})

test('a full queue refuses a copy', async () => {
  const full = `${queue}-full`
  await producer.channel.assertQueue(full, {
    arguments: { 'x-queue-type': 'quorum', 'x-max-length': 1, 'x-overflow': 'reject-publish' },
  })
  const outcomes = new Set<string>()
  await eventually(async () => {
    outcomes.add(await outcome(amqp.publish(copy('', full))))
    return outcomes.has('refused')
  })
  expect([...outcomes].sort()).toEqual(['confirmed', 'refused'])
  await expect(amqp.publish(copy('', full))).rejects.toThrow(`queue "${full}" refused the copy`)
})

test('a queue that was full stores copies soon after its limit was taken away', async () => {
  const policy = `/policies/${vhost.name}/limit-${queue}`
  const definition = { 'max-length': 1, overflow: 'reject-publish' }
  await vhost.manage('PUT', policy, { pattern: `^${queue}$`, 'apply-to': 'queues', definition })
  await using one = {
    amqp: connectAmqp(vhost.endpoint, { name: 'test', log, confirmTimeoutMs: 1_000 }, new AbortController().signal),
    [Symbol.asyncDispose]: () => one.amqp.close(),
  }
  await eventually(() => isUp(one.amqp))
  await eventually(async () => (await outcome(one.amqp.publish(copy('', queue)))) === 'refused')
  await vhost.manage('DELETE', policy)
  await eventually(async () => (await outcome(one.amqp.publish(copy('', queue)))) === 'confirmed', { everyMs: 100 })
})

test('a missing exchange fails the copies published to it, and no others', async () => {
  const exchange = `${queue}-exchange`
  const toMissing = Array.from({ length: 5 }, () => outcome(amqp.publish(copy(exchange, ''))))
  const toOther = Array.from({ length: 50 }, () => outcome(amqp.publish(copy('', queue))))
  expect(new Set(await Promise.all(toMissing))).toEqual(new Set(['missing-exchange']))
  expect(new Set(await Promise.all(toOther))).toEqual(new Set(['confirmed']))
  await producer.channel.assertExchange(exchange, 'fanout')
  expect(await outcome(amqp.publish(copy(exchange, '')))).toBe('returned')
  await producer.channel.bindQueue(queue, exchange, '')
  expect(await outcome(amqp.publish(copy(exchange, '')))).toBe('confirmed')
})

test('headers as large as a frame are published, and larger ones are said to be too large, and nothing is sent', async () => {
  const most = 131_072 - 8 - 12
  const withHeaders = (length: number) => {
    const properties = Buffer.alloc(length, 'x')
    const table = length - 6
    // Flags, and a table with one long string.
    const name = Buffer.from('\x05large')
    const head = Buffer.alloc(6)
    head.writeUInt16BE(0x2000)
    head.writeUInt32BE(table, 2)
    const size = Buffer.alloc(5, 'S')
    size.writeUInt32BE(table - name.length - 5, 1)
    Buffer.concat([head, name, size]).copy(properties)
    return { ...copy('', queue), properties }
  }
  expect(await outcome(amqp.publish(withHeaders(most)))).toBe('confirmed')
  await expect(amqp.publish(withHeaders(most + 1))).rejects.toMatchObject({
    ...{ kind: 'unencodable', message: expect.stringContaining(`have ${most + 1} bytes; the broker takes ${most}`) },
  })
  expect(await outcome(amqp.publish(copy('', 'x'.repeat(256))))).toBe('unencodable')
  expect(await outcome(amqp.publish(copy('', queue)))).toBe('confirmed')
  await eventually(async () => (await producer.channel.checkQueue(queue)).messageCount === 2)
})

test('a copy that the broker forbids is refused with its reason', async () => {
  await producer.channel.assertExchange(`${queue}-internal`, 'fanout', { internal: true })
  const published = amqp.publish(copy(`${queue}-internal`, ''))
  await expect(published).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('ACCESS_REFUSED') })
})

test('all copies are confirmed even if more are published at once than the buffers hold', async () => {
  const outcomes = await Promise.all(Array.from({ length: 5_000 }, () => outcome(amqp.publish(copy('', queue)))))
  expect(new Set(outcomes)).toEqual(new Set(['confirmed']))
  await eventually(async () => (await producer.channel.checkQueue(queue)).messageCount === 5_000)
})

test('a copy that is published without a connection fails at once as lost', async () => {
  const nowhere = { ...vhost.endpoint, amqp: { ...vhost.endpoint.amqp, port: 1 } }
  const apart = connectAmqp(nowhere, { name: 'test', log }, new AbortController().signal)
  expect(await outcome(apart.publish(copy('', queue)))).toBe('lost')
  await apart.close()
})
