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
import { type Company, openCompany, type Replica } from './replica-set.ts'

let company: Company

const open = async (others?: readonly string[]): Promise<void> => {
  company = await openCompany(others)
  company.folder.write('base', [...brokerOf(company.vhost), topicOf('orders')])
}
afterEach(() => company.close())

const subscribe = (spec: object = {}) =>
  company.folder.write('billing', [subscriptionOf('billing', 'orders', company.subscriber.url, spec)])
const publish = (count: number): Promise<string[]> =>
  company.producer.publish(
    'shop.orders',
    Array.from({ length: count }, () => ({ routingKey: 'order.placed', body: 'x' })),
  )
const delivering = () => company.condition('billing', 'Delivering', 'True')
const consumers = async (): Promise<number> =>
  (await company.producer.channel.checkQueue('waybill.sub.shop.billing')).consumerCount
/** How much a replica has delivered, by its own snapshot. */
const deliveredBy = async ({ url }: Replica): Promise<number> => {
  const { observations } = (await (await fetch(url)).json()) as { observations: { stats: { delivered: number } }[] }
  return observations[0]?.stats.delivered ?? 0
}
const delivered = () => company.status('billing')?.delivery?.delivered
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
/** Two replicas that hear each other and both consume; the first one writes. */
const pair = async (spec: object = {}): Promise<[Replica, Replica]> => {
  const [first, second] = [await company.replica(), await company.replica()]
  await first.lead()
  subscribe({ delivery: { concurrency: 2, retry: { schedule: ['1s'] } }, ...spec })
  await delivering()
  await eventually(async () => (await consumers()) === 2)
  await eventually(async () => (await first.hears()) === 2 && (await second.hears()) === 2)
  return [first, second]
}

describe('of two replicas', () => {
  beforeEach(() => open())

  test('one writes what both have delivered, and whoever takes over has nothing to correct', async () => {
    const [first, second] = await pair()
    company.subscriber.answer(() => ({ status: 200, afterMs: 20 }))
    await publish(40)
    await counted(40, first)
    for (const replica of [first, second]) expect(await deliveredBy(replica)).toBeGreaterThan(0)
    expect(await second.writes()).toBe(0)

    const before = company.status('billing')
    await second.lead()
    await delay(1_000)
    expect(company.status('billing')).toEqual(before)
    const written = await first.writes()
    await publish(8)
    await counted(48, second)
    expect(await first.writes()).toBe(written)
  })

  test('what one that is gone has delivered still counts, and the other delivers for both', async () => {
    const [first, second] = await pair()
    company.subscriber.answer(() => ({ status: 200, afterMs: 20 }))
    await publish(20)
    await eventually(async () => (await deliveredBy(first)) + (await deliveredBy(second)) === 20)
    await first.end()
    await publish(10)
    await counted(30, second)
    await eventually(async () => (await second.hears()) === 1, { timeoutMs: 15_000 })
    await publish(3)
    await counted(33, second)
    await delivering()
  })

  test('one that is new and writes at once writes what all have delivered', async () => {
    const [first] = await pair()
    await publish(20)
    await counted(20, first)
    const third = await company.replica()
    await third.lead()
    await publish(4)
    const seen = new Set<number | undefined>()
    await eventually(() => seen.add(delivered()).has(24), { timeoutMs: 15_000 })
    expect(Math.min(...[...seen].map(Number))).toBeGreaterThanOrEqual(20)
    await delivering()
  })

  test('a subscriber that fails shows within 10 s, and its return too, whichever replica it is that sees it', async () => {
    await pair()
    await publish(4)
    await eventually(() => company.subscriber.received.length === 4)
    company.subscriber.answer(503)
    const broken = performance.now()
    await publish(6)
    await company.condition('billing', 'Delivering', 'False', 'AllAttemptsFailing')
    expect(performance.now() - broken).toBeLessThan(10_000)
    company.subscriber.answer(204)
    const mended = performance.now()
    await delivering()
    expect(performance.now() - mended).toBeLessThan(10_000)
  })

  test('a 410 at one stops both, and any change of the resource revives both', async () => {
    const [, second] = await pair({ delivery: { concurrency: 1 } })
    company.subscriber.answer(410)
    await publish(1)
    await company.condition('billing', 'Suspended', 'True', 'Gone')
    await company.condition('billing', 'Ready', 'False', 'Suspended')
    await eventually(async () => (await consumers()) === 0)
    const before = company.status('billing')?.conditions
    await second.lead()
    await delay(1_000)
    expect(company.status('billing')?.conditions).toEqual(before)

    company.subscriber.answer(204)
    const { length } = company.subscriber.received
    subscribe({ delivery: { concurrency: 2 } })
    await eventually(() => company.subscriber.received.length === length + 1)
    await delivering()
    await eventually(async () => (await consumers()) === 2)
    expect(company.status('billing')?.conditions?.map(({ type }) => type)).not.toContain('Suspended')
  })

  test('at rest nothing is written, and the snapshots are empty answers', async () => {
    const [first, second] = await pair()
    await publish(4)
    await counted(4, first)
    const { replica, at } = (await (await fetch(first.url)).json()) as { replica: string; at: number }
    const writes = await first.writes()
    await delay(1_500)
    const answer = await fetch(`${first.url}?since=${replica}.${at}`)
    expect([answer.status, await answer.text()]).toEqual([204, ''])
    expect([await first.writes(), await second.writes()]).toEqual([writes, 0])
  })

  test('of a subscription that was created anew the counts of the old one are nobody’s', async () => {
    const [first] = await pair({ deletionPolicy: 'Delete' })
    await publish(4)
    await counted(4, first)
    company.folder.delete('billing')
    await eventually(() => company.status('billing') === undefined)
    subscribe()
    await delivering()
    await publish(1)
    await counted(1, first)
  })
})

test('what answers nonsense among the replicas is told once, and changes nothing', async () => {
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
  const told = () => first.logs().split('Could not make sense of a replica').length - 1
  await eventually(() => told() === answers.length)
  await delay(1_500)
  expect(told()).toBe(answers.length)
  expect(await first.hears()).toBe(2)
  for (const server of servers) server.close().closeAllConnections()
})

test('a Secret that is out of reach stops nothing, and what waited for it begins when it is back', async () => {
  await open()
  const { store, folder } = company
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
  const replica = await company.replica(away)
  await replica.lead()
  const spec = { subscriber: { url, tls: { caSecretRef: { name: 'trust' } } } }
  subscribe(spec)
  await delivering()

  isAway = true
  secret({ 'ca.crt': 'another' })
  company.folder.write('later', [subscriptionOf('later', 'orders', url, spec)])
  await eventually(() => replica.logs().includes('Could not read a Secret'))
  await eventually(() => company.status('later')?.conditions?.some(({ type }) => type === 'Programmed'))
  await publish(3)
  await eventually(() => received === 3)
  expect(company.status('later')?.conditions?.find(({ type }) => type === 'Delivering')).toBeUndefined()
  secret({ 'ca.crt': cert })
  isAway = false
  await company.condition('later', 'Delivering', 'True')
  await eventually(() => received === 6)
  server.close().closeAllConnections()
})

test('a status that could not be written is written when it can be', async () => {
  await open()
  let refused = 0
  const refusing: Store = {
    ...company.store,
    applyStatus: async (...write) => {
      if (refused === 0) {
        refused += 1
        throw new Error('the API server is away')
      }
      await company.store.applyStatus(...write)
    },
  }
  const replica = await company.replica(refusing)
  await replica.lead()
  subscribe()
  await delivering()
  expect([refused, await replica.writes()]).toEqual([1, 1])
})

test('a Secret that changed where nobody can watch it is read again when its broker is connected again', async () => {
  await open()
  const { store, vhost, folder } = company
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
  const replica = await company.replica(unwatched)
  await replica.lead()
  subscribe()
  await delivering()
  await closeOld()
  await company.condition('billing', 'Delivering', 'False', 'BrokerUnreachable')
  const closeNew = await through()
  await delivering()
  await closeNew()
})
