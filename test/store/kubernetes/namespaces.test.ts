import { topic } from '../../../src/api/kinds/topic.ts'
import { describeWithApiServer } from '../../support/api-server.ts'
import { account } from '../../support/kubernetes/account.ts'
import { eventually } from '../../support/wait.ts'
import { mergePatch, type World, worldForEach } from './opened.ts'

describeWithApiServer('the labels of namespaces', () => {
  let given: World
  worldForEach((made) => {
    given = made
  })

  const label = async (team: string | null): Promise<void> => {
    const patch = { metadata: { labels: { team } } }
    const { status } = await given.direct('PATCH', `/api/v1/namespaces/${given.own.name}`, patch, mergePatch)
    expect(status).toBe(200)
  }
  const lists = () => given.metrics.watchReceived.get().then(({ values }) => JSON.stringify(values))

  test('labels are read from the moment on that somebody asks, and each change is announced', async () => {
    const { name } = given.own
    const { store, changes } = await given.open()
    expect(await lists()).not.toContain('"Namespace"')
    expect(store.namespaceLabels(name)).toBeUndefined()
    await eventually(() => store.namespaceLabels(name)?.['kubernetes.io/metadata.name'] === name)
    for (const team of ['orders', 'mail', null]) {
      const before = changes.length
      await label(team)
      await eventually(() => store.namespaceLabels(name)?.team === (team ?? undefined))
      expect(changes.slice(before)).toContainEqual({ kind: 'Namespace', namespace: name, name })
    }
    expect(await lists()).toContain('"Namespace"')
    expect(store.namespaceLabels('no-such-namespace')).toBeUndefined()
  })

  test('without the right they stay unknown, which is logged, and nothing else waits for it', async () => {
    const { name } = given.own
    const rules = [{ apiGroups: ['waybill.dev'], resources: ['*'], verbs: ['get', 'list', 'watch'] }]
    const { token } = await account(given.server, { namespace: name, name: 'reader' }, rules)
    const { store, names } = await given.open({ token })
    expect(store.namespaceLabels(name)).toBeUndefined()
    await eventually(() => given.lines.some(({ message }) => message.includes('Missing RBAC permission')))
    await given.putTopic('orders')
    await eventually(() => names().includes('orders'))
    expect(store.namespaceLabels(name)).toBeUndefined()
  })

  test('anything may exist in a namespace that could not be listed yet, and nothing else once it was', async () => {
    const { name } = given.own
    const rules = [{ apiGroups: ['waybill.dev'], resources: ['*'], verbs: ['get', 'list', 'watch'] }]
    const who = { namespace: name, name: 'reader' }
    const { token } = await account(given.server, who, [])
    await given.putTopic('orders')
    const { store, names } = await given.open({ token })
    const exists = () =>
      [
        [name, 'orders'],
        [name, 'none'],
        ['elsewhere', 'none'],
      ].map(([namespace = '', each = '']) => store.mayExist(topic, namespace, each))
    expect([names(), exists()]).toEqual([[], [true, true, false]])
    await account(given.server, who, rules)
    await eventually(() => names().includes('orders'), { timeoutMs: 30_000 })
    expect(exists()).toEqual([true, false, false])
  })
})
