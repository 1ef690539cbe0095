import type { Copy } from '../../src/delivery/message/copy.ts'
import { type AmqpOptions, connectAmqp } from '../../src/rabbit/amqp/connect.ts'
import type { Amqp, AmqpState, Delivery } from '../../src/rabbit/amqp/port.ts'
import { logLines } from '../support/log-lines.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

let vhost: Vhost
let producer: Producer
let proxy: TcpProxy
let queue: string
const open: Amqp[] = []

beforeAll(async () => {
  vhost = await freshVhost()
  producer = await connectProducer(vhost.amqpUrl)
})
beforeEach(async () => {
  proxy = await tcpProxy(vhost.endpoint.amqp)
  queue = `queue-${Math.random().toString(36).slice(2)}`
  await producer.channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum' } })
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((amqp) => amqp.close()))
  await proxy.close()
})
afterAll(async () => {
  await producer.close()
  await vhost.drop()
})

const through = (options: Partial<AmqpOptions> = {}, overrides = {}, signal = new AbortController().signal) => {
  const { log, lines } = logLines()
  const endpoint = {
    ...vhost.endpoint,
    amqp: { protocol: 'amqp' as const, hostname: '127.0.0.1', port: proxy.port },
    ...overrides,
  }
  const amqp = connectAmqp(endpoint, { name: 'test', log, ...options }, signal)
  const states: AmqpState[] = []
  amqp.onState((state) => states.push(state))
  open.push(amqp)
  const deliveries: Delivery[] = []
  const consume = (prefetch: number, onDelivery: (delivery: Delivery) => void = () => undefined) =>
    amqp.consume({
      queue,
      prefetch,
      onState: () => undefined,
      onDelivery: (delivery) => {
        deliveries.push(delivery)
        onDelivery(delivery)
      },
    })
  const is = (consuming: AmqpState['consuming'], publishing: AmqpState['publishing']) =>
    eventually(() => states.at(-1)?.consuming === consuming && states.at(-1)?.publishing === publishing)
  return { amqp, states, lines, deliveries, consume, is }
}
const fill = (count: number) =>
  producer.publish(
    '',
    Array.from({ length: count }, (_, index) => ({ routingKey: queue, body: String(index) })),
  )
const copy = (): Copy => ({
  ...{ exchange: '', routingKey: queue, body: Buffer.from('body') },
  properties: Buffer.from([0, 0]),
})

test('consuming and publishing resume after a lost connection, and unsettled messages can be settled after it', async () => {
  const { amqp, deliveries, consume, is } = through()
  await fill(4)
  const consumer = consume(4)
  await eventually(() => deliveries.length === 4)
  await is('up', 'up')
  proxy.cut()
  await eventually(() => deliveries.every((delivery) => delivery.lost))
  deliveries[0]!.acknowledge()
  // What comes again takes the place of what was lost, and is not handed out.
  await eventually(() => deliveries.slice(1).every((delivery) => !delivery.lost))
  expect(deliveries).toHaveLength(4)
  for (const delivery of deliveries) delivery.acknowledge()
  deliveries[0]!.requeue()
  await is('up', 'up')
  await amqp.publish(copy())
  await eventually(() => deliveries.length === 5)
  deliveries[4]!.acknowledge()
  await consumer.stop()
  await amqp.close()
  expect((await producer.channel.checkQueue(queue)).messageCount).toBe(0)
})

test('no message is lost over many lost connections', async () => {
  const seen = new Set<string>()
  const { amqp, deliveries, consume, is } = through()
  const consumer = consume(20, (delivery) => {
    seen.add(delivery.message.content.toString())
    delivery.acknowledge()
  })
  for (let cuts = 1; cuts <= 5; cuts++) {
    await is('up', 'up')
    const count = deliveries.length
    await fill(cuts * 100)
    await eventually(() => deliveries.length > count)
    proxy.cut()
  }
  await eventually(() => seen.size === 500)
  await eventually(async () => (await producer.channel.checkQueue(queue)).messageCount === 0)
  await consumer.stop()
  await amqp.close()
  expect((await producer.channel.checkQueue(queue)).messageCount).toBe(0)
})

test('the connection to a silent broker is dropped and reopened', async () => {
  const { amqp, deliveries, consume, is } = through({ heartbeatSeconds: 1 })
  consume(1, (delivery) => delivery.acknowledge())
  await is('up', 'up')
  proxy.goSilent()
  const unconfirmed = amqp.publish(copy())
  await expect(unconfirmed).rejects.toMatchObject({ kind: 'lost' })
  await is('down', 'down')
  // The sockets of the silent broker are gone as well; the ones in the handshake may be there.
  await expect(amqp.publish(copy())).rejects.toMatchObject({ kind: 'lost' })
  proxy.recover()
  proxy.cut()
  await is('up', 'up')
  await amqp.publish(copy())
  await eventually(() => deliveries.length > 0)
})

test('a copy that is not confirmed in time fails with timeout', async () => {
  const { amqp, is } = through({ confirmTimeoutMs: 200 })
  await is('up', 'up')
  await amqp.publish(copy())
  proxy.goSilent()
  await expect(amqp.publish(copy())).rejects.toMatchObject({ kind: 'timeout' })
  proxy.cut()
})

test('a blocked connection publishes later, and no copy times out', async () => {
  const { amqp, states, is } = through({ confirmTimeoutMs: 200 })
  await is('up', 'up')
  await amqp.publish(copy())
  proxy.inject(blocked)
  await is('up', 'blocked')
  expect(states.at(-1)!.reason).toBe('low on disk')
  await amqp.publish(copy())
  proxy.inject(unblocked)
  await is('up', 'up')
})

// Method frames for channel 0: connection.blocked with a reason, and connection.unblocked.
const methodFrame = (method: number, content: string) => {
  const payload = Buffer.concat([Buffer.from([0, 10, 0, method]), Buffer.from(content)])
  const head = Buffer.from([1, 0, 0, 0, 0, 0, payload.length])
  return Buffer.concat([head, payload, Buffer.from([0xce])])
}
const blocked = methodFrame(60, '\x0blow on disk')
const unblocked = methodFrame(61, '')

test.each([
  { what: 'password', overrides: { password: 'canary-of-a-secret' }, says: 'refused the user or its password' },
  { what: 'virtual host', overrides: { vhost: 'no such/vhost %' }, says: 'refused the virtual host "no such/vhost %"' },
])('a wrong $what is logged once per connection, without a secret', async ({ overrides, says }) => {
  const { states, lines } = through({}, overrides)
  await eventually(() => lines.length === 2 && states.at(-1)?.reason?.includes(says))
  const expected = ['consume', 'publish'].map((purpose) => ({
    connection: `test ${purpose}`,
    reason: expect.stringContaining(says),
  }))
  expect(lines.map((line) => line.fields)).toEqual(expect.arrayContaining(expected))
  expect(JSON.stringify([lines, states])).not.toContain('canary')
})

test('an unreachable broker is retried until it answers, and logged once per connection', async () => {
  const port = proxy.port
  await proxy.close()
  const { lines, is } = through()
  await eventually(() => lines.length === 2)
  proxy = await tcpProxy(vhost.endpoint.amqp, port)
  await is('up', 'up')
  expect(lines.map((line) => line.message).sort()).toEqual([
    ...['Connected to the broker', 'Connected to the broker'],
    ...['Could not connect to the broker', 'Could not connect to the broker'],
  ])
})

test('the connections have names in the management API of the broker', async () => {
  const { is } = through({ name: 'waybill here' })
  await is('up', 'up')
  const names = await eventually(async () => {
    const connections = (await vhost.manage('GET', `/vhosts/${vhost.name}/connections`)) as {
      client_properties?: { connection_name?: string }
    }[]
    const found = connections.map((one) => one.client_properties?.connection_name).filter((one) => one !== undefined)
    return found.length === 2 ? found : undefined
  })
  expect(names.sort()).toEqual(['waybill here consume', 'waybill here publish'])
})

test('closing the connections disconnects them, and may be repeated', async () => {
  const { amqp, consume, is } = through()
  consume(1)
  await is('up', 'up')
  await Promise.all([amqp.close(), amqp.close()])
  await is('down', 'down')
  await eventually(() => proxy.connections === 0)
  await expect(amqp.publish(copy())).rejects.toMatchObject({ kind: 'lost' })
})

test('closing the connections does not wait for an unreachable broker', async () => {
  await proxy.close()
  const { amqp, consume } = through()
  consume(1)
  await amqp.close()
})

test('closing the connections waits less than 5 s for a silent broker', async () => {
  const { amqp, consume, is } = through()
  consume(1)
  await is('up', 'up')
  proxy.goSilent()
  const start = performance.now()
  await amqp.close()
  expect(performance.now() - start).toBeLessThan(5_000)
  await eventually(() => proxy.connections === 0)
})

test('the abort signal drops the connections immediately', async () => {
  const stop = new AbortController()
  const { amqp, consume, is } = through({}, {}, stop.signal)
  consume(1)
  await is('up', 'up')
  stop.abort()
  await is('down', 'down')
  await eventually(() => proxy.connections === 0)
  await amqp.close()
})
