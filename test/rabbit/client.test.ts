import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket, connect as tcp } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Delivered } from '../../src/rabbit/amqp/client/channel.ts'
import { type Address, dial } from '../../src/rabbit/amqp/client/dial.ts'
import type { EndedError } from '../../src/rabbit/amqp/client/ended.ts'
import * as operations from '../../src/rabbit/amqp/client/operations.ts'
import type { Wire } from '../../src/rabbit/amqp/client/wire.ts'
import * as selfSigned from '../http/self-signed.ts'
import { type AmqpProxy, amqpProxy, methodFrame, shutdown } from '../support/amqp-proxy.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

let vhost: Vhost
let producer: Producer
let proxy: AmqpProxy
const wires: Wire[] = []
const servers: Server[] = []

beforeAll(async () => {
  vhost = await freshVhost()
  producer = await connectProducer(vhost.amqpUrl)
})
beforeEach(async () => {
  proxy = await amqpProxy(vhost.endpoint.amqp)
})
afterEach(async () => {
  for (const wire of wires.splice(0)) wire.destroy({ by: 'us', text: 'the test is over' })
  for (const server of servers.splice(0)) server.close()
  await proxy.close()
})
afterAll(async () => {
  await producer.close()
  await vhost.drop()
})

const to = (overrides: Partial<Address> = {}): Address => ({
  ...{ protocol: 'amqp', hostname: '127.0.0.1', port: proxy.port },
  ...{ username: vhost.endpoint.username, password: vhost.endpoint.password, vhost: vhost.name },
  ...{ name: 'test', heartbeatSeconds: 0, timeoutMs: 5_000, ...overrides },
})
const connect = async (overrides: Partial<Address> = {}, signal = new AbortController().signal): Promise<Wire> => {
  const wire = await dial(to(overrides), signal)
  wires.push(wire)
  return wire
}
const noProperties = Buffer.from([0, 0])
const message = (routingKey: string, body: Buffer, properties = noProperties) => ({
  ...{ exchange: '', routingKey, properties, body, mandatory: true },
})
let queues = 0
const newQueue = async (): Promise<string> => {
  const name = `queue-${++queues}`
  await producer.channel.assertQueue(name, { arguments: { 'x-queue-type': 'quorum' } })
  return name
}

test('every byte of properties and body comes out as it went in, through a network that cuts after each byte', async () => {
  proxy.fromBroker = ({ bytes }, { toClient }) => {
    for (const byte of bytes) toClient(Buffer.of(byte))
  }
  const queue = await newQueue()
  const wire = await connect()
  const got: (Delivered & { consumerTag: string })[] = []
  const channel = await wire.openChannel({ delivered: (delivered) => got.push(delivered) })
  await operations.selectConfirms(channel)
  // Content type, and a table with values of every width. By name: RabbitMQ 4 sorts it, and keeps their bytes.
  const table = Buffer.from(
    '\x01IIABCD\x01VV\x01bb\xff\x01ll01234567\x01ss\x80\x00\x01tt\x01\x01xx\0\0\0\x02\xff\xfe',
    'latin1',
  )
  const size = Buffer.alloc(4)
  size.writeUInt32BE(table.length)
  const properties = Buffer.concat([Buffer.from([0xa0, 0, 1, 0x74]), size, table])
  const bodies = [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(20_000, 'waybill')]
  const outcomes = bodies.map(
    (body) => new Promise((resolve) => channel.publish(message(queue, body, properties), resolve)),
  )
  expect(await Promise.all(outcomes)).toEqual(['confirmed', 'confirmed', 'confirmed'])
  await operations.setPrefetch(channel, 10)
  await operations.startConsuming(channel, queue, 'a consumer')
  await eventually(() => got.length === 3)
  expect(got.map(({ content }) => content)).toEqual(bodies)
  expect(got[0]).toMatchObject({ consumerTag: 'a consumer', deliveryTag: 1, redelivered: false, routingKey: queue })
  expect(new Set(got.map((one) => one.properties.toString('hex')))).toEqual(new Set([properties.toString('hex')]))
})

test('a header frame that is larger than the frames agreed upon is read', async () => {
  const queue = await newQueue()
  const wire = await connect()
  const channel = await wire.openChannel()
  const large = 'x'.repeat(200_000)
  const properties = { headers: { large }, delivery_mode: 2 }
  await vhost.manage('POST', `/exchanges/${vhost.name}/amq.default/publish`, {
    ...{ routing_key: queue, payload: 'body', payload_encoding: 'string', properties },
  })
  const got = await channel.get(queue)
  expect(got?.content.toString()).toBe('body')
  expect(got?.properties.includes(large)).toBe(true)
  expect(wire.end).toBeUndefined()
})

test('an empty queue gives nothing, and a refusal ends its channel alone, for calls of before and after', async () => {
  const queue = await newQueue()
  const wire = await connect()
  const channel = await wire.openChannel()
  expect(await channel.get(queue)).toBeUndefined()
  const calls = [operations.checkQueue(channel, 'nowhere'), channel.get(queue)]
  const refused = { refusal: 404, end: { by: 'broker', code: 404, text: expect.stringContaining('NOT_FOUND') } }
  for (const call of calls) await expect(call).rejects.toMatchObject(refused)
  await expect(operations.checkQueue(channel, queue)).rejects.toMatchObject(refused)
  expect(await channel.ended).toEqual(channel.end)
  const other = await wire.openChannel()
  expect(await operations.checkQueue(other, queue)).toEqual({ messages: 0, consumers: 0 })
})

test('channels and confirms are told the end of their connection, and so is who comes later', async () => {
  const wire = await connect()
  const channel = await wire.openChannel()
  await operations.selectConfirms(channel)
  proxy.fromBroker = (_, { toClient }) => toClient(shutdown)
  const outcome = await new Promise((resolve) => channel.publish(message('nowhere', Buffer.from('x')), resolve))
  const end = { by: 'broker', code: 320, text: 'CONNECTION_FORCED - stop' }
  expect([outcome, await wire.ended, await channel.ended]).toEqual([end, end, end])
  await expect(operations.checkQueue(channel, 'x')).rejects.toMatchObject({ of: 'connection', end })
  await expect(wire.openChannel()).rejects.toMatchObject({ of: 'connection', end })
  await wire.close()
})

test.each([
  { what: 'no frame', bytes: Buffer.from('HTTP/1.1 400 Bad Request\r\n') },
  { what: 'a frame for a channel that is not open', bytes: methodFrame(9, 60, 60, Buffer.alloc(30)) },
  { what: 'an answer that was not due', bytes: methodFrame(1, 50, 41, Buffer.alloc(4)) },
  { what: 'a delivery that is cut short', bytes: methodFrame(1, 60, 60, Buffer.from('\x09abc')) },
])('a peer that sends $what is unreadable, and nothing is thrown', async ({ bytes }) => {
  const wire = await connect()
  const channel = await wire.openChannel()
  proxy.fromBroker = (_, { toClient }) => toClient(bytes)
  const call: Promise<unknown> = operations.checkQueue(channel, 'x')
  const error = await call.catch((reason: EndedError) => reason)
  expect(error).toMatchObject({ of: 'connection', end: { by: 'unreadable' } })
  expect((await wire.ended).by).toBe('unreadable')
})

test('the broker says that it is blocked, and that is known to who comes later', async () => {
  const wire = await connect()
  proxy.fromBroker = (frame, { toClient }) =>
    toClient(Buffer.concat([methodFrame(0, 10, 60, Buffer.from('\x08low disk')), frame.bytes]))
  await wire.openChannel()
  const heard: (string | undefined)[] = []
  wire.onBlocked((reason) => heard.push(reason))
  expect(heard).toEqual(['low disk'])
})

test('a silent broker is noticed by its heartbeats', async () => {
  const wire = await connect({ heartbeatSeconds: 1 })
  proxy.fromBroker = () => undefined
  expect(await wire.ended).toMatchObject({ by: 'socket', text: expect.stringContaining('heartbeat') })
  await eventually(() => proxy.open === 0)
})

const listening = async (server: Server): Promise<number> => {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
const answering = (answer: (socket: Socket) => void): Promise<number> =>
  listening(createServer((socket) => void socket.on('error', () => undefined).once('data', () => answer(socket))))

test.each([
  { what: 'a wrong password', kind: 'user', overrides: async () => ({ password: 'wrong' }) },
  { what: 'no such virtual host', kind: 'vhost', overrides: async () => ({ vhost: 'no such/vhost %' }) },
  { what: 'a virtual host without permissions', kind: 'vhost', overrides: () => withoutPermission() },
  { what: 'as many connections as allowed', kind: 'limit', overrides: () => withLimit() },
  { what: 'no such name', kind: 'unreachable', overrides: async () => ({ hostname: 'nowhere.invalid' }) },
  { what: 'a port where nobody listens', kind: 'unreachable', overrides: async () => ({ port: 1 }) },
  {
    what: 'TLS to a plain port',
    kind: 'not-tls',
    overrides: async () => ({ ...vhost.endpoint.amqp, protocol: 'amqps' as const }),
  },
  {
    what: 'a plain connection to a TLS port',
    kind: 'speaks-tls',
    overrides: async () => ({ port: await answering((socket) => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 70]))) }),
  },
  {
    what: 'a web server',
    kind: 'not-amqp',
    overrides: async () => ({ port: await answering((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')) }),
  },
  {
    what: 'a peer that hangs up',
    kind: 'hung-up',
    overrides: async () => ({ port: await answering((socket) => socket.end()) }),
  },
  {
    what: 'a silent peer',
    kind: 'timeout',
    overrides: async () => ({ timeoutMs: 300, port: await answering(() => undefined) }),
  },
])('$what is told as $kind', async ({ kind, overrides }) => {
  const opened = connect(await overrides())
  await expect(opened).rejects.toMatchObject({ name: 'OpenError', kind })
})

const withoutPermission = async () => {
  await vhost.manage('PUT', `/users/${vhost.name}`, { password: 'secret', tags: '' })
  return { username: vhost.name, password: 'secret' }
}
const withLimit = async () => {
  const limited = await freshVhost()
  await limited.manage('PUT', `/vhost-limits/${limited.name}/max-connections`, { value: 0 })
  return { vhost: limited.name }
}

/** The broker behind TLS. */
const behindTls = (): Promise<number> =>
  listening(
    createTlsServer(selfSigned, (client) => {
      const { hostname: host, port } = vhost.endpoint.amqp
      const broker = tcp({ host, port })
      broker.on('error', () => client.destroy()).pipe(client)
      client.on('error', () => broker.destroy()).pipe(broker)
    }),
  )

test('over TLS, bodies larger than a record come and go whole, to a certificate that is trusted', async () => {
  const port = await behindTls()
  const queue = await newQueue()
  const wire = await connect({ port, protocol: 'amqps', hostname: 'localhost', ca: selfSigned.cert })
  const channel = await wire.openChannel()
  await operations.selectConfirms(channel)
  const body = Buffer.alloc(1_000_000, 'waybill')
  expect(await new Promise((resolve) => channel.publish(message(queue, body), resolve))).toBe('confirmed')
  expect((await channel.get(queue))?.content.equals(body)).toBe(true)
  await wire.close()
  await expect(connect({ port, protocol: 'amqps', hostname: 'localhost' })).rejects.toMatchObject({
    kind: 'certificate',
  })
  const otherName = connect({ port, protocol: 'amqps', hostname: '127.0.0.2', ca: selfSigned.cert })
  await expect(otherName).rejects.toMatchObject({ kind: expect.stringMatching(/certificate|unreachable/) })
})

test('the signal drops a connection at any time, and one that aborted opens none', async () => {
  const port = await answering(() => undefined)
  const stop = new AbortController()
  const opening = connect({ port }, stop.signal)
  setTimeout(() => stop.abort(), 50)
  await expect(opening).rejects.toMatchObject({ kind: 'aborted' })
  await expect(connect({}, stop.signal)).rejects.toMatchObject({ kind: 'aborted' })
  const later = new AbortController()
  const wire = await connect({}, later.signal)
  later.abort()
  expect(wire.end?.by).toBe('us')
  await eventually(() => proxy.open === 0)
})
