import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { SecretError } from '../../src/store/secret-error.ts'
import type { Store } from '../../src/store/store.ts'
import { cert, key } from '../http/self-signed.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'
import { eventually } from '../support/wait.ts'
import { openReplicaSet, type Replica, type ReplicaSet } from './replica-set.ts'

let set: ReplicaSet

const open = async (others?: readonly string[]): Promise<void> => {
  set = await openReplicaSet(others)
  set.folder.write('base', [...brokerOf(set.vhost), topicOf('orders')])
}
afterEach(() => set.close())

const subscribe = (spec: object = {}) =>
  set.folder.write('billing', [subscriptionOf('billing', 'orders', set.subscriber.url, spec)])
const publish = (count: number): Promise<string[]> =>
  set.producer.publish(
    'shop.orders',
    Array.from({ length: count }, () => ({ routingKey: 'order.placed', body: 'x' })),
  )
const delivering = () => set.condition('billing', 'Delivering', 'True')
const consumers = async (): Promise<number> =>
  (await set.producer.channel.checkQueue('waybill.sub.shop.billing')).consumerCount
/** How much a replica has delivered, by its own snapshot. */
const deliveredBy = async ({ url }: Replica): Promise<number> => {
  const { observations } = (await (await fetch(url)).json()) as { observations: { stats: { delivered: number } }[] }
  return observations[0]?.stats.delivered ?? 0
}
/** How much all have delivered in the last hour, as a replica knows it. */
const deliveredInHour = ({ running }: Replica): number | undefined =>
  running.history('shop')?.subscriptions[0]?.delivered.reduce<number>((sum, each) => sum + (each ?? 0), 0)
const delivered = () => set.status('billing')?.delivery?.delivered
/** Waits until the status counts this many, without waiting for the time at which it would. */
const counted = (count: number, by: Replica): Promise<true> =>
  eventually(
    async () => {
      await by.lead()
      await delay(300)
      return delivered() === count
    },
    { timeoutMs: 15_000 },
  )
/** Two replicas that know each other and both consume; the first one leads. `send` changes what the second one sends as its snapshot. */
const pair = async (spec: object = {}, send?: (snapshot: object) => object): Promise<[Replica, Replica]> => {
  const [first, second] = [await set.replica(), await set.replica(send ? { send } : {})]
  await first.lead()
  subscribe({ delivery: { concurrency: 2, retry: { schedule: ['1s'] } }, ...spec })
  await delivering()
  await eventually(async () => (await consumers()) === 2)
  await eventually(async () => (await first.alive()) === 2 && (await second.alive()) === 2)
  return [first, second]
}

describe('two replicas', () => {
  beforeEach(() => open())

  test('one of two replicas writes what both have delivered, and the one that takes over has nothing to correct', async () => {
    const [first, second] = await pair()
    set.subscriber.answer(() => ({ status: 200, afterMs: 20 }))
    await publish(40)
    await counted(40, first)
    for (const replica of [first, second]) expect(await deliveredBy(replica)).toBeGreaterThan(0)
    expect(await second.writes()).toBe(0)
    for (const replica of [first, second]) expect(deliveredInHour(replica)).toBe(40)

    const before = set.status('billing')
    await second.lead()
    await delay(1_000)
    expect(set.status('billing')).toEqual(before)
    const written = await first.writes()
    await publish(8)
    await counted(48, second)
    expect(await first.writes()).toBe(written)
  })

  test('the deliveries of a replica still count after it is gone, and the other replica delivers for both', async () => {
    const [first, second] = await pair()
    set.subscriber.answer(() => ({ status: 200, afterMs: 20 }))
    await publish(20)
    await eventually(async () => (await deliveredBy(first)) + (await deliveredBy(second)) === 20)
    await first.end()
    await publish(10)
    await counted(30, second)
    await eventually(async () => (await second.alive()) === 1, { timeoutMs: 15_000 })
    await publish(3)
    await counted(33, second)
    await delivering()
  })

  test('a new replica that becomes the leader at once writes what all replicas have delivered', async () => {
    const [first] = await pair()
    await publish(20)
    await counted(20, first)
    const third = await set.replica()
    await third.lead()
    await eventually(() => third.running.history('shop'))
    await publish(4)
    const seen = new Set<number | undefined>()
    await eventually(() => seen.add(delivered()).has(24), { timeoutMs: 15_000 })
    expect(Math.min(...[...seen].map(Number))).toBeGreaterThanOrEqual(20)
    // What was before its time is not of this minute.
    expect([deliveredInHour(third), deliveredInHour(first)]).toEqual([4, 24])
    await delivering()
  })

  test('a failing subscriber shows in the status within 10 s, and so does its recovery, whichever replica observes it', async () => {
    await pair()
    await publish(4)
    await eventually(() => set.subscriber.received.length === 4)
    set.subscriber.answer(503)
    const broken = performance.now()
    await publish(6)
    await set.condition('billing', 'Delivering', 'False', 'AllAttemptsFailing')
    expect(performance.now() - broken).toBeLessThan(10_000)
    set.subscriber.answer(204)
    const fixed = performance.now()
    await delivering()
    expect(performance.now() - fixed).toBeLessThan(10_000)
  })

  test('a 410 received by one replica stops both, and any change of the resource resumes both', async () => {
    const [, second] = await pair({ delivery: { concurrency: 1 } })
    set.subscriber.answer(410)
    await publish(1)
    await set.condition('billing', 'Suspended', 'True', 'Gone')
    await set.condition('billing', 'Ready', 'False', 'Gone')
    await eventually(async () => (await consumers()) === 0)
    const before = set.status('billing')?.conditions
    await second.lead()
    await delay(1_000)
    expect(set.status('billing')?.conditions).toEqual(before)

    set.subscriber.answer(204)
    const { length } = set.subscriber.received
    subscribe({ delivery: { concurrency: 2 } })
    await eventually(() => set.subscriber.received.length === length + 1)
    await delivering()
    await eventually(async () => (await consumers()) === 2)
    expect(set.status('billing')?.conditions?.map(({ type }) => type)).not.toContain('Suspended')
  })

  test('replicas of different versions read each other, even if one sends members that the other does not know', async () => {
    const grown = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(grown)
      if (typeof value !== 'object' || value === null) return value
      const members = Object.entries(value).map(([name, member]) => [name, grown(member)])
      return { addedText: 'x', addedList: [1], addedObject: {}, ...Object.fromEntries(members) }
    }
    const [first, second] = await pair({}, (snapshot) => grown(snapshot) as object)
    set.subscriber.answer(() => ({ status: 200, afterMs: 20 }))
    await publish(40)
    await counted(40, first)
    for (const replica of [first, second]) expect(await deliveredBy(replica)).toBeGreaterThan(0)
    await second.lead()
    await publish(8)
    await counted(48, second)
    await delivering()
    expect(await Promise.all([first.alive(), second.alive()])).toEqual([2, 2])
    for (const replica of [first, second]) expect(replica.logs()).not.toContain('invalid')
  })

  test('replicas write nothing when nothing changes, and answer requests for snapshots with 204', async () => {
    const [first, second] = await pair()
    await publish(4)
    await counted(4, first)
    const { replica, version } = (await (await fetch(first.url)).json()) as { replica: string; version: number }
    const writes = await first.writes()
    await delay(1_500)
    const answer = await fetch(`${first.url}?since=${replica}.${version}`)
    expect([answer.status, await answer.text()]).toEqual([204, ''])
    expect([await first.writes(), await second.writes()]).toEqual([writes, 0])
  })

  test('the counts of a deleted subscription are not counted for one created with the same name', async () => {
    const [first] = await pair({ deletionPolicy: 'Delete' })
    await publish(4)
    await counted(4, first)
    set.folder.delete('billing')
    await eventually(() => set.status('billing') === undefined)
    subscribe()
    await delivering()
    await publish(1)
    await counted(1, first)
  })
})

test('an address among the replicas that answers nonsense is logged once, and changes nothing', async () => {
  const answers = ['<html>', '{"replica":1}', Buffer.alloc(40 * 1024 * 1024, 'x')]
  const servers = await Promise.all(
    answers.map(async (answer) => {
      const server = createServer((_, response) => void response.end(answer))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  await open(servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`))
  const [first] = await pair()
  await publish(4)
  await counted(4, first)
  const logged = () => first.logs().split('Another replica sent an invalid response').length - 1
  await eventually(() => logged() === answers.length)
  await delay(1_500)
  expect(logged()).toBe(answers.length)
  expect(await first.alive()).toBe(2)
  for (const server of servers) server.close().closeAllConnections()
})

test('a Secret that cannot be read stops no delivery, and what waited for the Secret starts once it can be read', async () => {
  await open()
  const { store, folder } = set
  let isAway = false
  const away: Store = {
    ...store,
    secret: async (...which) => {
      if (isAway) throw new SecretError('unavailable', 'the API server does not answer')
      return store.secret(...which)
    },
  }
  const secret = (data: object) =>
    folder.write('trust', [
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'trust', namespace: 'shop' }, stringData: data },
    ])
  let received = 0
  const server = createTlsServer({ cert, key }, (_, response) => {
    received += 1
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
  secret({ 'ca.crt': cert })
  const replica = await set.replica({ store: away })
  await replica.lead()
  const spec = { subscriber: { url, tls: { caSecretRef: { name: 'trust' } } } }
  subscribe(spec)
  await delivering()

  isAway = true
  secret({ 'ca.crt': 'another' })
  set.folder.write('later', [subscriptionOf('later', 'orders', url, spec)])
  await eventually(() => replica.logs().includes('Could not read a Secret'))
  await eventually(() => set.status('later')?.conditions?.some(({ type }) => type === 'Programmed'))
  await publish(3)
  await eventually(() => received === 3)
  expect(set.status('later')?.conditions?.find(({ type }) => type === 'Delivering')).toBeUndefined()
  secret({ 'ca.crt': cert })
  isAway = false
  await set.condition('later', 'Delivering', 'True')
  await eventually(() => received === 6)
  server.close().closeAllConnections()
})

test('a status that could not be written is written by a retry', async () => {
  await open()
  let refused = 0
  const refusing: Store = {
    ...set.store,
    applyStatus: async (...write) => {
      if (refused === 0) {
        refused += 1
        throw new Error('the API server is away')
      }
      await set.store.applyStatus(...write)
    },
  }
  const replica = await set.replica({ store: refusing })
  await replica.lead()
  subscribe()
  await delivering()
  expect([refused, await replica.writes()]).toEqual([1, 1])
})

test('a Secret that changed unobserved is read again when its broker is connected again', async () => {
  await open()
  const { store, vhost, folder } = set
  const unwatched: Store = {
    ...store,
    onChange: (listener) => store.onChange((change) => change.kind !== 'Secret' && listener(change)),
  }
  const behind = new URL(vhost.amqpUrl)
  const management = new URL(vhost.managementUrl)
  const through = async () => {
    const amqp = await tcpProxy({ hostname: behind.hostname, port: Number(behind.port) })
    const api = await tcpProxy({ hostname: management.hostname, port: Number(management.port) })
    const uri = new URL(vhost.secret.connection_string)
    uri.host = `127.0.0.1:${amqp.port}`
    const secret = { connection_string: uri.href, management_uri: `http://127.0.0.1:${api.port}` }
    folder.write('base', [...brokerOf({ ...vhost, secret }), topicOf('orders')])
    return () => Promise.all([amqp.close(), api.close()])
  }
  const closeOld = await through()
  const replica = await set.replica({ store: unwatched })
  await replica.lead()
  subscribe()
  await delivering()
  await closeOld()
  await set.condition('billing', 'Delivering', 'False', 'BrokerUnreachable')
  const closeNew = await through()
  await delivering()
  await closeNew()
})
