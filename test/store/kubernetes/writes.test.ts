import type { Condition } from '../../../src/api/conditions.ts'
import { kinds } from '../../../src/api/kinds/kinds.ts'
import { subscription } from '../../../src/api/kinds/subscription.ts'
import { topic } from '../../../src/api/kinds/topic.ts'
import { SecretError } from '../../../src/store/secret-error.ts'
import { finalizer } from '../../../src/store/store.ts'
import { describeWithApiServer } from '../../support/api-server.ts'
import { account } from '../../support/kubernetes/account.ts'
import { eventually } from '../../support/wait.ts'
import { mergePatch, type World, worldForEach } from './opened.ts'

const condition = (type: string, status = 'True'): Condition => ({
  type,
  status: status as Condition['status'],
  reason: type,
  message: 'so it is',
  lastTransitionTime: '2026-01-02T03:04:05Z',
})

describeWithApiServer('writing to the resources of a cluster', () => {
  let given: World
  worldForEach((made) => {
    given = made
  })

  const path = (name: string) => `/apis/waybill.dev/v1alpha1/namespaces/${given.own.name}/topics/${name}`
  const stored = async (name: string) => (await given.direct('GET', path(name))).body as Stored
  type Stored = {
    metadata: { resourceVersion: string; finalizers?: string[]; deletionTimestamp?: string }
    status?: { exchange?: string; conditions?: Condition[] }
  }
  const types = ({ status }: Pick<Stored, 'status'>) => status?.conditions?.map(({ type }) => type).sort()

  /** A store that knows a topic of this name, whose watches are held. */
  const openedWith = async (name: string) => {
    await given.putTopic(name)
    const opened = await given.open()
    await eventually(() => given.proxy.watches === kinds.length)
    given.proxy.holdWatches()
    const known = opened.store.get(topic, given.own.name, name)
    if (known === undefined) throw new Error('It is not known')
    return { ...opened, known, current: () => opened.store.get(topic, given.own.name, name) }
  }

  test('two field managers own only the fields that each applied', async () => {
    const { store, known } = await openedWith('orders')
    const apply = (manager: 'waybill-operator' | 'waybill-dispatcher', status: object) =>
      store.applyStatus(topic, known, manager, status)
    await apply('waybill-operator', { exchange: 'orders', conditions: [condition('Accepted'), condition('Ready')] })
    await apply('waybill-dispatcher', { conditions: [condition('Delivering')] })
    expect(types(await stored('orders'))).toEqual(['Accepted', 'Delivering', 'Ready'])

    await apply('waybill-operator', { conditions: [condition('Accepted', 'False')] })
    const after = await stored('orders')
    expect(types(after)).toEqual(['Accepted', 'Delivering'])
    expect(after.status?.exchange).toBeUndefined()
    await apply('waybill-dispatcher', { conditions: [condition('Delivering')] })
    expect((await stored('orders')).metadata.resourceVersion).toBe(after.metadata.resourceVersion)
  })

  test('a written object is known at once, and a slow watch does not undo it later', async () => {
    const { store, known, current, changes } = await openedWith('orders')
    for (const exchange of ['first', 'second', 'third']) {
      await store.applyStatus(topic, known, 'waybill-operator', { exchange })
      expect(current()?.status?.exchange).toBe(exchange)
    }
    expect(current()?.spec).toBe(known.spec)
    expect(changes).toHaveLength(3)
    given.proxy.releaseWatches()
    await given.putTopic('another')
    await eventually(() => changes.length > 3)
    expect(changes).toHaveLength(4)
    expect(current()?.status?.exchange).toBe('third')
  })

  test('a write never changes another object with the name of a deleted resource, and does not fail', async () => {
    const { store, known, current } = await openedWith('orders')
    await given.direct('DELETE', path('orders'))
    const write = async () => {
      await store.applyStatus(topic, known, 'waybill-operator', { exchange: 'of-the-old-one' })
      await store.setFinalizer(topic, known, true)
    }
    await write()
    await given.putTopic('orders')
    await write()
    const { metadata, status } = await stored('orders')
    expect([metadata.finalizers, status]).toEqual([undefined, { observedGeneration: -1 }])
    given.proxy.releaseWatches()
    await eventually(() => current()?.metadata.uid !== known.metadata.uid)
    await write()
    expect(current()?.metadata.resourceVersion).toBe(metadata.resourceVersion)
  })

  test('the finalizer is added and removed beside those of others, also if the resource changed meanwhile', async () => {
    const { store, known, current } = await openedWith('orders')
    const theirs = ['example.com/theirs']
    await given.direct('PATCH', path('orders'), { metadata: { finalizers: theirs } }, mergePatch)
    await store.setFinalizer(topic, known, true)
    expect((await stored('orders')).metadata.finalizers).toEqual([...theirs, finalizer])
    expect(current()?.metadata.finalizers).toEqual([...theirs, finalizer])
    const writes = given.proxy.count('patch')
    await store.setFinalizer(topic, known, true)
    expect(given.proxy.count('patch')).toBe(writes)

    await given.direct('DELETE', path('orders'))
    await store.setFinalizer(topic, known, false)
    expect(await stored('orders')).toMatchObject({ metadata: { finalizers: theirs, deletionTimestamp: /./ } })
    await store.setFinalizer(topic, known, true)
    expect((await stored('orders')).metadata.finalizers).toEqual(theirs)
    await given.direct('PATCH', path('orders'), { metadata: { finalizers: null } }, mergePatch)
    given.proxy.releaseWatches()
    await eventually(() => current() === undefined)
  })

  test('the leader removes the finalizer from deleted resources that were never valid, and from no others', async () => {
    const { store } = await given.open()
    await eventually(() => given.proxy.watches === kinds.length)
    given.proxy.holdWatches()
    for (const name of ['stays', 'goes']) {
      await given.putTopic(name)
      await given.direct('PATCH', path(name), { metadata: { finalizers: [finalizer] } }, mergePatch)
      if (name === 'goes') await given.direct('DELETE', path(name))
      given.proxy.inject(JSON.stringify({ type: 'ADDED', object: { ...(await stored(name)), spec: 'nonsense' } }))
    }
    const mayNot = () => {
      throw new Error('another leads')
    }
    await eventually(() => store.mayExist(topic, given.own.name, 'goes'))
    expect([store.get(topic, given.own.name, 'stays'), store.mayExist(topic, given.own.name, 'stays')]).toEqual([
      undefined,
      true,
    ])
    await eventually(() =>
      store.releaseInvalid(mayNot).then(
        () => false,
        () => true,
      ),
    )
    expect((await stored('goes')).metadata.finalizers).toEqual([finalizer])
    await store.releaseInvalid(() => {})
    expect((await given.direct('GET', path('goes'))).status).toBe(404)
    expect(store.mayExist(topic, given.own.name, 'goes')).toBe(false)
    expect((await stored('stays')).metadata.finalizers).toEqual([finalizer])
    await eventually(async () => {
      const { body } = await given.direct('GET', `/api/v1/namespaces/${given.own.name}/events`)
      return (body as { items: { reason: string }[] }).items.some(({ reason }) => reason === 'OrphanedTopology')
    })
    given.proxy.releaseWatches()
  })

  test('a write succeeds even if an answer is lost and the server asks to wait', async () => {
    const { store, known, current } = await openedWith('orders')
    const faults = [{ status: 429, headers: { 'retry-after': '1' } }, 'cut', { status: 503 }] as const
    let at = 0
    given.proxy.fault = ({ verb }) => (verb === 'patch' ? faults[at++] : undefined)
    const begun = performance.now()
    await store.applyStatus(topic, known, 'waybill-operator', { exchange: 'orders' })
    expect(performance.now() - begun).toBeGreaterThan(1_000)
    // The one whose answer was lost has made the next one outdated.
    expect([at, current()?.status?.exchange]).toEqual([5, 'orders'])
    at = 0
    await store.setFinalizer(topic, known, true)
    expect((await stored('orders')).metadata.finalizers).toEqual([finalizer])
  })

  test('a process that may no longer write sends nothing, not even writes that were already waiting', async () => {
    const { store, known } = await openedWith('orders')
    let held = true
    const fenced = store.fenced(() => {
      if (!held) throw new Error('another leads')
    })
    given.proxy.fault = ({ verb }) => {
      if (verb !== 'patch') return undefined
      held = false
      return { status: 503 }
    }
    const write = fenced.applyStatus(topic, known, 'waybill-operator', { exchange: 'orders' })
    await expect(write).rejects.toThrow('another leads')
    await expect(fenced.setFinalizer(topic, known, true)).rejects.toThrow('another leads')
    fenced.record(known, { type: 'Normal', reason: 'Ready', message: 'Ready' })
    store.record(known, { type: 'Normal', reason: 'Ready', message: 'Ready all the same' })
    await eventually(() => given.proxy.count('post') > 0)
    expect([given.proxy.count('patch'), given.proxy.count('post')]).toEqual([1, 1])
    const read = await fenced.secret(given.own.name, 'none')
    expect(read).toBeUndefined()
  })

  test('a hundred writes at once use few connections, and all arrive', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `topic-${index}`)
    await Promise.all(names.map((name) => given.putTopic(name)))
    const { store } = await given.open()
    await Promise.all(
      store
        .list(topic)
        .map((one) => store.applyStatus(topic, one, 'waybill-operator', { exchange: one.metadata.name })),
    )
    const found = (await given.direct('GET', path(''))).body as { items: Stored[] }
    expect(found.items.map(({ status }) => status?.exchange).sort()).toEqual([...names].sort())
    expect(given.proxy.connections).toBeLessThanOrEqual(32 + kinds.length)
  })

  test('Secrets are read one by one, and one that cannot be read is an error with the cause', async () => {
    const rules = [{ apiGroups: ['waybill.dev'], resources: ['*'], verbs: ['get', 'list', 'watch'] }]
    const { token } = await account(given.server, { namespace: given.own.name, name: 'poor' }, rules)
    const body = { metadata: { name: 'rabbitmq' }, data: { password: Buffer.from('päss\n').toString('base64') } }
    await given.direct('POST', `/api/v1/namespaces/${given.own.name}/secrets`, body)

    const { store } = await given.open()
    const read = (of = store) => of.secret(given.own.name, 'rabbitmq')
    expect((await read())?.password?.toString()).toBe('päss\n')
    expect(await store.secret(given.own.name, 'none')).toBeUndefined()
    expect(await store.secret('no-such-namespace', 'none')).toBeUndefined()

    const poor = await given.open({ token })
    const forbidden: unknown = await read(poor.store).catch((error: unknown) => error)
    expect(forbidden).toBeInstanceOf(SecretError)
    expect(forbidden).toMatchObject({ kind: 'forbidden', message: expect.stringContaining('get on secrets') })
    given.proxy.fault = ({ path }) => (path.includes('/secrets') ? { status: 500 } : undefined)
    await expect(read()).rejects.toMatchObject({ name: 'SecretError', kind: 'unavailable' })
    expect(given.proxy.seen.filter(({ path }) => path.endsWith('/secrets'))).toEqual([])
  })

  test('resources of all kinds are written the same way', async () => {
    const spec = { topicRef: { name: 'orders' }, subscriber: { url: 'https://example.com/' } }
    const body = { apiVersion: 'waybill.dev/v1alpha1', kind: 'Subscription', metadata: { name: 'billing' }, spec }
    await given.direct('POST', path('').replace('/topics/', '/subscriptions'), body)
    const { store } = await given.open()
    const [known] = store.list(subscription)
    await store.setFinalizer(subscription, known!, true)
    await store.applyStatus(subscription, known!, 'waybill-dispatcher', { conditions: [condition('Delivering')] })
    expect(store.list(subscription)).toMatchObject([
      { metadata: { finalizers: [finalizer] }, status: { conditions: [{ type: 'Delivering' }] } },
    ])
  })
})
