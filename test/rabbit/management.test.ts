import type { BrokerError } from '../../src/rabbit/broker-error.ts'
import { connectManagement, type Management } from '../../src/rabbit/management/management.ts'
import type { Change } from '../../src/topology/change.ts'
import { diff } from '../../src/topology/diff.ts'
import type { Policy } from '../../src/topology/topology.ts'
import { amqpProxy } from '../support/amqp-proxy.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'
import { desiredOf, policyOf, queueOf, resourcesOf, subscriptionOf, topicOf } from '../topology/resources.ts'

let vhost: Vhost
let management: Management
let producer: Producer
const { signal } = new AbortController()

beforeAll(async () => {
  vhost = await freshVhost()
  management = connectManagement(vhost.endpoint)
  producer = await connectProducer(vhost.amqpUrl)
})
afterAll(async () => {
  await producer.close()
  await management.close()
  await vhost.drop()
})

const apply = (...changes: Change[]) =>
  changes.reduce((before, change) => before.then(() => management.apply(change, signal)), Promise.resolve())
const declareQueue = (name: string, args = {}): Change => ({
  do: 'declare-queue',
  queue: { name, durable: true, arguments: { 'x-queue-type': 'quorum', ...args } },
})
const declareExchange = (name: string, args = {}): Change => ({
  do: 'declare-exchange',
  exchange: { name, type: 'topic', arguments: args },
})
/** What kind of error it was, with its words. */
const failure = (done: Promise<unknown>): Promise<string> =>
  done.then(
    () => 'none',
    (error: BrokerError) => `${error.kind}: ${error.message}`,
  )

test('the broker reads back as desired after a plan is applied, and the next plan is empty', async () => {
  const resources = resourcesOf(
    topicOf('orders'),
    topicOf('regions', { exchange: { type: 'Headers' }, unrouted: 'Drop' }),
    topicOf('all', { exchange: { name: 'every / thing? 100%', type: 'Fanout' } }),
    policyOf('short', { default: true, retention: { maxAge: '1h', maxLength: 1000, whenFull: 'DropOldest' } }),
    subscriptionOf('billing', { filter: { routingKeys: ['order.*', 'bill/é #', ''] } }),
    subscriptionOf('eu', { topicRef: { name: 'regions' }, filter: { headers: { region: 'eu', 'x y': '/ü' } } }),
    subscriptionOf('audit', { topicRef: { name: 'all' }, delivery: { retry: { schedule: ['1s', '500ms'] } } }),
    queueOf('work', {
      ...{ messageTTL: '1m', maxLength: 9, overflow: 'RejectPublish', deadLetterPolicyRef: { name: 'short' } },
      bindings: [{ topicRef: { name: 'orders' }, routingKeys: ['#', 'a.b'] }],
    }),
    queueOf('plain', { type: 'Classic' }),
  )
  const before = await management.observe(signal)
  const wanted = desiredOf(resources, before.version)
  const plan = (observed: typeof before) =>
    diff(wanted, observed, { now: 0, quietSince: new Map(), goingSince: new Map() })
  for (const stage of plan(before).stages) await apply(...stage.map(({ change }) => change))
  const after = await management.observe(signal)
  expect(plan(after)).toMatchObject({ stages: [], conflicts: [] })
  expect(after.queues.length).toBe(before.queues.length + wanted.queues.length)
  await eventually(async () => plan(await management.observe(signal)).shadowed.length === 0)
})

test('a change that is applied twice changes nothing the second time and does not fail', async () => {
  const exchange = declareExchange('twice')
  const queue = declareQueue('twice', { 'x-waybill-owner': 'one' })
  const policy: Change = {
    do: 'put-policy',
    policy: { name: 'twice', pattern: '^twice$', applyTo: 'queues', priority: 1, definition: { 'max-length': 5 } },
  }
  const binding = { source: 'twice', destination: 'twice', routingKey: 'k', arguments: { 'x-waybill-owner': 'one' } }
  const make: Change[] = [exchange, queue, policy, { do: 'bind', binding }]
  await apply(...make, ...make)
  const gone: Change[] = [
    { do: 'unbind', binding },
    { do: 'delete-policy', policy: 'twice' },
    { do: 'delete-queue', queue: 'twice', only: 'if-empty' },
    { do: 'delete-exchange', exchange: 'twice' },
  ]
  await apply(...gone, ...gone.slice(1))
  const { exchanges, queues, bindings, policies } = await management.observe(signal)
  expect([...exchanges, ...queues, ...policies].filter(({ name }) => name === 'twice')).toEqual([])
  expect(bindings.filter(({ source }) => source === 'twice')).toEqual([])
})

test('a virtual host, queues and policies with odd names are read, changed and deleted', async () => {
  const odd = await freshVhost('küche/é 日本 %2F')
  const there = connectManagement(odd.endpoint)
  const names = ['...', 'a/../b', 'x?y#z%2F', 'é 日本', ' ']
  try {
    for (const name of names) {
      await there.apply(declareQueue(name), signal)
      const policy = { name, pattern: '^x$', applyTo: 'queues', priority: 1, definition: { 'max-length': 5 } } as const
      await there.apply({ do: 'put-policy', policy }, signal)
    }
    const found = await there.observe(signal)
    expect(found.queues.map(({ name }) => name).sort()).toEqual(names.toSorted())
    expect(found.policies.map(({ name }) => name).sort()).toEqual(names.toSorted())
    for (const [index, name] of names.entries()) {
      await there.apply({ do: 'delete-policy', policy: name }, signal)
      await there.apply({ do: 'delete-queue', queue: name, only: index % 2 ? 'if-empty' : 'whatever-it-holds' }, signal)
    }
    expect(await there.observe(signal)).toMatchObject({ queues: [], policies: [] })
  } finally {
    await there.close()
    await odd.drop()
  }
})

test('bindings that differ only in their arguments are distinguished', async () => {
  await apply(declareExchange('ours'), declareQueue('ours'))
  const of = (owner: string) => ({
    source: 'ours',
    destination: 'ours',
    routingKey: 'a/b %2F #',
    arguments: { 'x-waybill-owner': owner },
  })
  await apply({ do: 'bind', binding: of('one') }, { do: 'bind', binding: of('two') })
  await apply({ do: 'unbind', binding: of('one') }, { do: 'unbind', binding: of('three') })
  const { bindings } = await management.observe(signal)
  expect(bindings.filter(({ source }) => source === 'ours')).toEqual([of('two')])
})

test('a change that AMQP cannot carry is refused, and the next one is applied', async () => {
  await apply(declareExchange('wide'), declareQueue('wide'))
  const bind = (routingKey: string, args = {}): Change => ({
    do: 'bind',
    binding: { source: 'wide', destination: 'wide', routingKey, arguments: args },
  })
  expect(await failure(apply(bind('é'.repeat(128))))).toMatch(/^refused: AMQP cannot carry this: /)
  expect(await failure(apply(bind('a', { big: 'x'.repeat(140_000) })))).toMatch(/^refused: AMQP cannot carry this: /)
  await apply(bind('a'))
})

describe('deletion of a queue if it is empty', () => {
  const remove: Change = { do: 'delete-queue', queue: 'kept', only: 'if-empty' }
  const isThere = async () => (await management.observe(signal)).queues.some(({ name }) => name === 'kept')

  test('delete-queue if-empty refuses a queue with a message in any state, and keeps the message', async () => {
    await apply(declareQueue('kept'))
    await producer.publish('', [{ routingKey: 'kept', body: 'one' }])
    expect(await failure(apply(remove))).toBe('not-empty: Queue kept holds messages')
    await eventually(async () => (await producer.channel.checkQueue('kept')).messageCount === 1)
    expect((await producer.channel.get('kept', { noAck: true })) as object).toMatchObject({
      content: Buffer.from('one'),
    })
    await apply(remove)
    expect(await isThere()).toBe(false)
  })

  test('what comes between the proof and the deletion is refused, by old publishers and new ones', async () => {
    const proxy = await amqpProxy(vhost.endpoint.amqp)
    const behind = connectManagement({ ...vhost.endpoint, amqp: { ...vhost.endpoint.amqp, port: proxy.port } })
    const late = await connectProducer(vhost.amqpUrl)
    const send = (by: Producer): Promise<string> =>
      by.publish('', [{ routingKey: 'kept', body: 'late' }]).then(
        () => 'confirmed',
        () => 'refused',
      )
    try {
      await apply(declareQueue('kept'))
      await producer.publish('', [{ routingKey: 'kept', body: 'before' }])
      await producer.channel.get('kept', { noAck: true })
      const seal = { applyTo: 'queues', priority: 1000, definition: { 'max-length': 1, overflow: 'reject-publish' } }
      await apply({ do: 'put-policy', policy: { ...seal, name: 'seal', pattern: '^kept$' } as Policy })
      await eventually(async () => (await management.observe(signal)).states.get('kept')?.policy === 'seal')
      const outcomes: Promise<string>[] = []
      proxy.fromClient = ({ method, bytes }, { toBroker }) => {
        if (method !== '50.40') return toBroker(bytes)
        outcomes.push(send(producer), send(late))
        void Promise.all(outcomes).then(() => toBroker(bytes))
      }
      await behind.apply(remove, signal)
      expect(await Promise.all(outcomes)).toEqual(['refused', 'refused'])
      expect(await isThere()).toBe(false)
    } finally {
      await apply({ do: 'delete-policy', policy: 'seal' })
      await late.close()
      await behind.close()
      await proxy.close()
    }
  })

  test('delete-queue if-empty leaves nothing of its own in a queue that holds messages', async () => {
    await apply(declareQueue('kept'))
    await producer.publish('', [
      { routingKey: 'kept', body: 'one' },
      { routingKey: 'kept', body: 'two' },
    ])
    expect(await failure(apply(remove))).toBe('not-empty: Queue kept holds messages')
    await eventually(async () => (await producer.channel.checkQueue('kept')).messageCount === 2)
    const left = await Promise.all([1, 2, 3].map(() => producer.channel.get('kept', { noAck: true })))
    // What was looked at may have moved to the tail.
    expect(new Set(left.map((message) => message && String(message.content)))).toEqual(new Set(['one', 'two', false]))
    await apply(remove)
  })

  test('a classic queue is deleted if it is empty, and only then', async () => {
    const classic: Change = { ...remove, type: 'classic' }
    await apply(declareQueue('kept', { 'x-queue-type': 'classic' }))
    await producer.publish('', [{ routingKey: 'kept', body: 'one' }])
    expect(await failure(apply(classic))).toBe('not-empty: Queue kept holds messages')
    await producer.channel.get('kept', { noAck: true })
    await apply(classic)
    expect(await isThere()).toBe(false)
  })

  test('delete-queue if-empty deletes an empty queue', async () => {
    await apply(remove)
  })

  test('delete-queue whatever-it-holds deletes a queue with messages', async () => {
    await apply(declareQueue('kept'))
    await producer.publish('', [{ routingKey: 'kept', body: 'one' }])
    await apply({ ...remove, only: 'whatever-it-holds' })
    expect(await isThere()).toBe(false)
  })
})

describe('errors of the management API', () => {
  const canary = 'canary-7f3a'
  const observing = (endpoint: Partial<Vhost['endpoint']>): Promise<string> => {
    const other = connectManagement({ ...vhost.endpoint, ...endpoint })
    return failure(other.observe(signal)).finally(() => other.close())
  }

  test.each<{ what: string; endpoint: Partial<Vhost['endpoint']>; says: RegExp }>([
    {
      what: 'a wrong password',
      endpoint: { password: canary },
      says: /^credentials: The management API refused user guest \(.+\): check username and password of the Secret/,
    },
    {
      what: 'a virtual host that does not exist',
      endpoint: { vhost: 'no/such' },
      says: /^refused: Virtual host no\/such does not exist, or user guest has no permissions on it: create it with rabbitmqctl add_vhost/,
    },
    {
      what: 'a port where nothing listens',
      endpoint: { management: 'http://127.0.0.1:1', password: canary },
      says: /^unreachable: The management API at 127\.0\.0\.1:1 does not listen \(ECONNREFUSED\): check the address/,
    },
    {
      what: 'a name that cannot be resolved',
      endpoint: { management: 'http://nowhere.invalid:15672', password: canary },
      says: /^unreachable: The management API at nowhere\.invalid:15672 cannot be found: the name nowhere\.invalid is not known \(E[A-Z_]+\)$/,
    },
  ])('the error for $what names the cause, without the password', async ({ endpoint, says }) => {
    const said = await observing(endpoint)
    expect(said).toMatch(says)
    expect(said).not.toContain(canary)
  })

  test('the error for TLS that is spoken to a plain AMQP port says so', async () => {
    const amqp = { ...vhost.endpoint.amqp, protocol: 'amqps' } as const
    const other = connectManagement({ ...vhost.endpoint, amqp })
    const said = await failure(other.apply(declareExchange('secure'), signal))
    expect(said).toMatch(
      /^tls: AMQP at \S+ does not speak TLS: this is a plain port; correct scheme and port in the Secret$/,
    )
    await other.close()
  })

  test('the error for an AMQP port where nothing listens says so', async () => {
    const amqp = { ...vhost.endpoint.amqp, port: 1 }
    const other = connectManagement({ ...vhost.endpoint, amqp })
    const said = await failure(other.apply(declareExchange('nowhere'), signal))
    expect(said).toMatch(/^unreachable: AMQP at \S+:1 does not listen \(ECONNREFUSED\): check the address/)
    await other.close()
  })

  test('the error for an answer that breaks off names that cause', async () => {
    const { hostname, port } = new URL(vhost.managementUrl)
    const proxy = await tcpProxy({ hostname, port: Number(port) })
    proxy.goSilent()
    const silent = connectManagement({ ...vhost.endpoint, management: `http://127.0.0.1:${proxy.port}` })
    const said = failure(silent.observe(signal))
    await eventually(() => proxy.connections > 0)
    proxy.cut()
    expect(await said).toMatch(
      /^unreachable: The management API at 127\.0\.0\.1:\d+ ended the connection without an answer \(\w+\); if it is a TLS port, write https:/,
    )
    await silent.close()
    await proxy.close()
  })

  test('the error for a refused change has the reason of the broker', async () => {
    await apply(declareExchange('fixed', { 'alternate-exchange': 'a' }))
    const said = await failure(apply(declareExchange('fixed', { 'alternate-exchange': 'b' })))
    expect(said).toMatch(/^refused: The broker refused: .*inequivalent arg 'alternate-exchange'/)
  })

  test('the error for a binding to a missing exchange does not blame the virtual host', async () => {
    const binding = { source: 'missing', destination: 'missing', routingKey: '', arguments: {} }
    expect(await failure(apply({ do: 'bind', binding }))).toMatch(
      /^refused: The broker refused: .*no exchange 'missing'/,
    )
  })

  test('a refused change does not fail the others', async () => {
    const binding = { source: 'missing', destination: 'missing', routingKey: '', arguments: {} }
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        failure(apply(index % 2 ? { do: 'bind', binding } : declareExchange(`beside-${index}`))),
      ),
    )
    expect(outcomes.map((one) => one.split(':')[0])).toEqual(
      outcomes.map((_, index) => (index % 2 ? 'refused' : 'none')),
    )
  })

  test('the error for an administrator without permissions on the virtual host names what is missing', async () => {
    const username = `${vhost.name}-admin`
    await vhost.manage('PUT', `/users/${username}`, { password: canary, tags: 'administrator' })
    const other = connectManagement({ ...vhost.endpoint, username, password: canary })
    const said = await failure(other.apply(declareExchange('denied'), signal))
    expect(said).toMatch(/^refused: the broker refused the virtual host .*give the user permissions on it/)
    await other.close()
    await vhost.manage('DELETE', `/users/${username}`)
  })

  test('an aborted call is not reported as an error of the broker', async () => {
    const ended = AbortSignal.abort(new Error('ended'))
    await expect(management.observe(ended)).rejects.toThrow('ended')
  })
})
