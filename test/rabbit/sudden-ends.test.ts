import { setTimeout as sleep } from 'node:timers/promises'
import type { Copy } from '../../src/delivery/message/copy.ts'
import { type AmqpOptions, connectAmqp } from '../../src/rabbit/amqp/connect.ts'
import { openDeclarations } from '../../src/rabbit/amqp/declarations.ts'
import type { Amqp, AmqpState, Delivery } from '../../src/rabbit/amqp/port.ts'
import type { PublishError } from '../../src/rabbit/amqp/publish-error.ts'
import { type AmqpProxy, amqpProxy, shutdown } from '../support/amqp-proxy.ts'
import { logLines } from '../support/log-lines.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

let vhost: Vhost
let producer: Producer
let proxy: AmqpProxy
let queue: string
const open: { close(): Promise<void> }[] = []

beforeAll(async () => {
  vhost = await freshVhost()
  producer = await connectProducer(vhost.amqpUrl)
})
beforeEach(async () => {
  proxy = await amqpProxy(vhost.endpoint.amqp)
  queue = `queue-${Math.random().toString(36).slice(2)}`
  await producer.channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum' } })
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
  await proxy.close()
})
afterAll(async () => {
  await producer.close()
  await vhost.drop()
})

const endpoint = () => ({
  ...vhost.endpoint,
  amqp: { protocol: 'amqp' as const, hostname: '127.0.0.1', port: proxy.port },
})
const through = (options: Partial<AmqpOptions> = {}) => {
  const { log, lines } = logLines()
  const amqp = connectAmqp(endpoint(), { name: 'test', log, ...options }, new AbortController().signal)
  open.push(amqp)
  const states: AmqpState[] = []
  amqp.onState((state) => states.push(state))
  const isUp = () => eventually(() => states.at(-1)?.consuming === 'up' && states.at(-1)?.publishing === 'up')
  return { amqp, states, lines, isUp }
}
const consume = (amqp: Amqp, name = queue) => {
  const bodies: string[] = []
  amqp.consume({
    queue: name,
    prefetch: 10,
    onState: () => undefined,
    onDelivery: (delivery: Delivery) => {
      bodies.push(delivery.message.content.toString())
      delivery.acknowledge()
    },
  })
  return bodies
}
const copy = (): Copy => ({
  ...{ exchange: '', routingKey: queue, body: Buffer.from('body'), properties: Buffer.from([0, 0]) },
})
const stored = async (amqp: Amqp) =>
  amqp.publish(copy()).then(
    () => true,
    () => false,
  )
const ready = async () => (await producer.channel.checkQueue(queue)).messageCount

/** Sends the goodbye of a node in the very segment of the first answers of this kind. */
const endsBehind = (method: string, times: number): void => {
  let left = times
  proxy.fromBroker = (frame, { toClient }) => {
    const isIt = frame.method === method && left-- > 0
    toClient(isIt ? Buffer.concat([frame.bytes, shutdown]) : frame.bytes)
  }
}

test.each([
  { behind: 'channel.open-ok', method: '20.11' },
  { behind: 'confirm.select-ok', method: '85.11' },
])('copies are stored again after the connection ended right behind $behind', async ({ method }) => {
  const { amqp, isUp } = through()
  await isUp()
  endsBehind(method, 2)
  await eventually(() => stored(amqp))
  expect(await ready()).toBe(1)
})

test.each([
  { behind: 'connection.open-ok', method: '10.41' },
  { behind: 'channel.open-ok', method: '20.11' },
  { behind: 'queue.declare-ok, the answer to the probe,', method: '50.11' },
  { behind: 'basic.qos-ok', method: '60.11' },
  { behind: 'basic.consume-ok', method: '60.21' },
])('messages are consumed after the connection ended right behind $behind', async ({ method }) => {
  endsBehind(method, 3)
  const { amqp } = through()
  await producer.publish('', [{ routingKey: queue, body: 'one' }])
  const bodies = consume(amqp)
  await eventually(() => bodies.length > 0)
})

test.each([
  { behind: 'connection.open-ok', method: '10.41' },
  { behind: 'channel.open-ok', method: '20.11' },
  { behind: 'exchange.declare-ok', method: '40.11' },
])('declaring succeeds after the connection ended right behind $behind', async ({ method }) => {
  endsBehind(method, 1)
  const declarations = openDeclarations(endpoint(), () => undefined)
  open.push(declarations)
  const exchange = { name: `${queue}-exchange`, type: 'fanout' as const, arguments: {} }
  const declare = () =>
    declarations.apply({ do: 'declare-exchange', exchange } as Parameters<typeof declarations.apply>[0]).then(
      () => true,
      () => false,
    )
  await declare()
  expect(await declare()).toBe(true)
  await producer.channel.checkExchange(exchange.name)
  await eventually(() => proxy.open === 1)
})

test('a declaration that comes while the idle connection says goodbye leaves no connection behind', async () => {
  const declarations = openDeclarations(endpoint(), () => undefined, 50)
  open.push(declarations)
  const exchange = { name: `${queue}-exchange`, type: 'fanout', arguments: {} }
  const change = { do: 'declare-exchange', exchange } as Parameters<typeof declarations.apply>[0]
  const goodbyes: (() => void)[] = []
  // The goodbye of the first connection is answered when the second one is in use.
  proxy.fromBroker = ({ method, bytes }, { toClient }) => {
    if (method === '10.51') goodbyes.push(() => toClient(bytes))
    else toClient(bytes)
  }
  await declarations.apply(change)
  await eventually(() => goodbyes.length === 1)
  await declarations.apply(change)
  goodbyes.splice(0).forEach((say) => {
    say()
  })
  await eventually(() => proxy.open === 1)
  proxy.fromBroker = ({ bytes }, { toClient }) => toClient(bytes)
  await declarations.apply(change)
  expect(proxy.made).toBe(2)
  await eventually(() => proxy.open === 0)
})

test('a confirm that is late stays owed: the copy is not lost, its connection is kept, others get more time', async () => {
  const { amqp, isUp, lines } = through({ confirmTimeoutMs: 600 })
  await isUp()
  const lateMs = 1_500
  proxy.fromBroker = ({ bytes }, { toClient }) => void setTimeout(() => toClient(Buffer.from(bytes)), lateMs)
  const made = proxy.made
  const errors: PublishError[] = []
  const outcomes = ['first', 'second'].map(async () => {
    const error: PublishError | undefined = await amqp.publish(copy()).then(
      () => undefined,
      (reason) => reason,
    )
    if (error) errors.push(error)
    return error?.owed
  })
  const owed = await Promise.all(outcomes)
  expect(errors.map(({ kind }) => kind)).toEqual(['timeout', 'timeout'])
  await Promise.all(owed)
  // Patience grew meanwhile, until a confirm is not late any more.
  await eventually(async () => {
    const error: PublishError | undefined = await amqp.publish(copy()).then(
      () => undefined,
      (reason) => reason,
    )
    await error?.owed
    return error === undefined
  })
  expect(proxy.made).toBe(made)
  expect(lines.filter(({ message }) => /Lost/.test(message))).toEqual([])
})

test('a broker that answers nothing but heartbeats on a connection is left for another connection', async () => {
  const { amqp, isUp } = through({ confirmTimeoutMs: 300 })
  await isUp()
  const made = proxy.made
  proxy.fromBroker = ({ type, method, bytes }, { toClient }) => {
    if (proxy.made > made || type === 8 || method.startsWith('10.')) toClient(bytes)
  }
  const first: PublishError = await amqp.publish(copy()).catch((reason) => reason)
  expect(first.kind).toBe('timeout')
  await expect(first.owed).rejects.toMatchObject({ kind: 'lost' })
  await eventually(() => stored(amqp))
})

test('a broker that hangs up after each connection is asked less and less often, and the log says it once', async () => {
  proxy.fromBroker = ({ method, bytes }, link) => {
    link.toClient(bytes)
    if (method === '10.41') setTimeout(link.hangUp, 20)
  }
  const { lines } = through()
  await sleep(4_000)
  // Two connections, with pauses of 100, 200, 400, 800, 1,600 ms at most and half of that at least.
  expect(proxy.made).toBeGreaterThan(6)
  expect(proxy.made).toBeLessThan(18)
  for (const name of ['test consume', 'test publish']) {
    const said = lines.filter(({ fields }) => (fields as { connection?: string }).connection === name)
    expect(said.map(({ message }) => message)).toEqual(['Connected to the broker', 'Lost the connection to the broker'])
  }
})

test('a message with thousands of nested tables costs no connection, and nobody else a second delivery', async () => {
  const { amqp, isUp, lines } = through()
  await isUp()
  const other = `${queue}-other`
  await producer.channel.assertQueue(other, { arguments: { 'x-queue-type': 'quorum' } })
  const made = proxy.made
  const bodies = consume(amqp)
  const others = consume(amqp, other)
  await amqp.publish({ ...copy(), body: Buffer.from('deep'), properties: nested(8_000) })
  await producer.publish(
    '',
    ['1', '2', '3', '4', '5'].map((body) => ({ routingKey: other, body })),
  )
  await eventually(() => bodies.length === 1 && others.length === 5)
  expect([bodies, others, proxy.made]).toEqual([['deep'], ['1', '2', '3', '4', '5'], made])
  expect(lines.filter(({ message }) => /Lost/.test(message))).toEqual([])
})

/** Properties with a table in a table in a table… */
const nested = (depth: number): Buffer => {
  const levels = Array.from({ length: depth }, (_, level) => {
    const head = Buffer.from('\x01nF\0\0\0\0', 'latin1')
    head.writeUInt32BE(7 * (depth - level - 1), 3)
    return head
  })
  const head = Buffer.from([0x20, 0, 0, 0, 0, 0])
  head.writeUInt32BE(7 * depth, 2)
  return Buffer.concat([head, ...levels])
}
