import { readFileSync } from 'node:fs'
import { type Client, createClient } from '../../src/store/kubernetes/api/client.ts'
import { LeaseLost, lead } from '../../src/store/kubernetes/lease/lease.ts'
import type { Leadership } from '../../src/store/leadership.ts'
import { apiServer, describeWithApiServer, namespace } from '../support/api-server.ts'
import type { TestNamespace } from '../support/kubernetes/test-namespace.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'
import { eventually } from '../support/wait.ts'

/** Everything that a role for leases has to allow. */
const rules = [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] }]

const holds = (term: Leadership | undefined): boolean => {
  try {
    term?.fence()
    return term !== undefined
  } catch (error) {
    if (error instanceof LeaseLost) return false
    throw error
  }
}

describeWithApiServer('a lease', () => {
  let own: TestNamespace
  let port: number
  let cleanUp: AsyncDisposableStack
  beforeEach(async () => {
    cleanUp = new AsyncDisposableStack()
    own = cleanUp.adopt(await namespace(), ({ drop }) => drop())
    port = Number(new URL(apiServer().url).port)
  })
  afterEach(() => cleanUp.disposeAsync())

  const connect = async (through = port): Promise<Client> => {
    const { token } = await own.account('candidate', rules)
    const cluster = {
      server: `https://127.0.0.1:${through}`,
      tls: { ca: readFileSync(apiServer().caFile) },
      headers: async () => ({ authorization: `Bearer ${token}` }),
      namespace: own.name,
    }
    const options = { component: 'test', metrics: { apiRequests: { inc() {} } } }
    return cleanUp.adopt(createClient(cluster, options), ({ close }) => close())
  }

  /** Runs for the lease; its work lasts as long as the term. */
  const candidate = (client: Client, identity: string) => {
    const stop = new AbortController()
    const said: string[] = []
    const terms: Leadership[] = []
    const say = (_: object, message: string) => void said.push(message)
    const work = async (term: Leadership) => {
      terms.push(term)
      await new Promise((resolve) => term.signal.addEventListener('abort', resolve))
    }
    const options = { namespace: own.name, name: 'test', identity, log: { info: say, warn: say } }
    const ended = lead(client, options, work, stop.signal)
    return cleanUp.adopt(
      {
        said,
        terms,
        leads: () => holds(terms.at(-1)),
        async stop() {
          stop.abort()
          await ended
        },
      },
      (each) => each.stop(),
    )
  }

  const lease = async () =>
    (await own.get('lease', 'test')) as { metadata: { uid: string }; spec: LeaseSpec } | undefined
  type LeaseSpec = { holderIdentity: string; acquireTime: string; renewTime: string; leaseTransitions: number }
  const patch = (change: object) =>
    own.kubectl(['patch', 'lease', 'test', '--type=merge', '-p', JSON.stringify(change)])

  test('one process holds the lease, and the other takes over at once when the first one stops', async () => {
    const client = await connect()
    const first = candidate(client, 'first')
    await eventually(first.leads)
    const second = candidate(client, 'second')
    await eventually(() => second.said.length > 0)
    const { spec } = (await lease())!
    expect(spec).toMatchObject({ holderIdentity: 'first', leaseDurationSeconds: 15, leaseTransitions: 0 })
    await eventually(async () => (await lease())!.spec.renewTime > spec.renewTime)
    expect((await lease())!.spec.acquireTime).toBe(spec.acquireTime)

    await first.stop()
    await eventually(second.leads, { timeoutMs: 2_500 })
    expect((await lease())!.spec).toMatchObject({ holderIdentity: 'second', leaseTransitions: 1 })
    expect(first.said).toEqual(['Leading, this process holds the lease', 'Released the lease'])
    expect(second.said).toEqual([
      'Standing by, another process holds the lease',
      'Leading, this process holds the lease',
    ])
    await second.stop()
    expect((await lease())!.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
  })

  test('a holder that cannot renew the lease stops before another takes it, and stands by once it can renew again', async () => {
    const proxy = cleanUp.adopt(await tcpProxy({ hostname: '127.0.0.1', port }), ({ close }) => close())
    const first = candidate(await connect(proxy.port), 'first')
    await eventually(first.leads)
    const second = candidate(await connect(), 'second')
    await eventually(() => second.said.length > 0)
    const [term] = first.terms
    const lost = new Promise<number>((resolve) =>
      term!.signal.addEventListener('abort', () => resolve(performance.now())),
    )
    proxy.goSilent()
    const silentSince = performance.now()
    const lostAt = await lost
    expect(lostAt - silentSince).toBeLessThan(10_100)
    expect(second.leads()).toBe(false)
    await eventually(second.leads, { timeoutMs: 10_000 })
    expect(performance.now() - lostAt).toBeGreaterThan(2_900)
    proxy.cut()
    proxy.recover()
    await eventually(() => first.said.includes('Standing by, another process holds the lease'))
    expect(first.terms).toHaveLength(1)
    expect(() => term!.fence()).toThrow(LeaseLost)
  }, 60_000)

  test('a process that was paused may not write, whatever it does first', async () => {
    const first = candidate(await connect(), 'first')
    await eventually(first.leads)
    const [term] = first.terms
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_050)
    expect(() => term!.fence()).toThrow(LeaseLost)
    expect(term!.signal.reason).toBeInstanceOf(LeaseLost)
    // Nobody else wants it.
    await eventually(() => first.terms.length === 2 && first.leads())
  })

  test('a deleted lease is created again by its holder, and no other takes it meanwhile', async () => {
    const client = await connect()
    const first = candidate(client, 'first')
    await eventually(first.leads)
    const second = candidate(client, 'second')
    await eventually(() => second.said.length > 0)
    const { uid } = (await lease())!.metadata
    await own.kubectl(['delete', 'lease', 'test'])
    const again = await eventually(async () => {
      const found = await lease()
      return found?.metadata.uid !== uid && found
    })
    expect(again.spec.holderIdentity).toBe('first')
    expect([first.leads(), first.terms.length, second.terms.length]).toEqual([true, 1, 0])
  })

  test('a holder that is set by hand holds the lease, and a label changes nothing', async () => {
    const first = candidate(await connect(), 'first')
    await eventually(first.leads)
    await patch({ metadata: { labels: { team: 'shop' } } })
    const { renewTime } = (await lease())!.spec
    await eventually(async () => (await lease())!.spec.renewTime > renewTime)
    expect([first.leads(), first.terms.length]).toEqual([true, 1])

    await patch({ spec: { holderIdentity: 'thief' } })
    await eventually(() => first.said.includes('Standing by, another process holds the lease'))
    expect(first.leads()).toBe(false)
    await patch({ spec: { holderIdentity: '' } })
    await eventually(first.leads)
    expect(await lease()).toMatchObject({ metadata: { labels: { team: 'shop' } }, spec: { holderIdentity: 'first' } })
  })
})
