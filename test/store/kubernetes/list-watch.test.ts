import { kinds } from '../../../src/api/kinds/kinds.ts'
import { topic } from '../../../src/api/kinds/topic.ts'
import { describeWithApiServer, ownApiServer } from '../../support/api-server.ts'
import { eventually } from '../../support/wait.ts'
import { type Opened, type World, world, worldForEach } from './opened.ts'

const spread = <T>(count: number, of: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => of(index))

describeWithApiServer('watching the resources of a cluster', () => {
  let given: World
  let cleanUp: AsyncDisposableStack
  worldForEach((...made) => {
    ;[given, cleanUp] = made
  })

  const path = (name = '') => `/apis/waybill.dev/v1alpha1/namespaces/${given.own.name}/topics/${name}`
  const remove = (name: string) => given.direct('DELETE', path(name))
  const unrouted = ({ store }: Opened, name: string) => store.get(topic, given.own.name, name)?.spec.unrouted
  const complaints = () => given.lines.filter(({ level }) => level === 'warn' || level === 'error')
  const isTopicWatch = ({ verb, path }: { verb: string; path: string }) => verb === 'watch' && path.endsWith('/topics')
  /** Every watch tells something about itself within a second or so. */
  const allWatch = () => eventually(() => given.proxy.watches === kinds.length)

  test('objects that are created, changed or deleted are announced, and existing objects are known from the start', async () => {
    const { putTopic, own } = given
    await putTopic('first')
    const opened = await given.open()
    expect(opened.names()).toEqual(['first'])
    expect(opened.store.get(topic, own.name, 'first')?.spec).toMatchObject({ unrouted: 'Park' })

    await putTopic('second')
    await eventually(() => opened.names().length === 2)
    await putTopic('second', { unrouted: 'Drop' })
    await eventually(() => unrouted(opened, 'second') === 'Drop')
    await remove('first')
    await eventually(() => opened.names().length === 1)
    const announced = ['second', 'second', 'first'].map((name) => ({ kind: 'Topic', namespace: own.name, name }))
    expect(opened.changes).toEqual(announced)
    expect(opened.store.get(topic, own.name, 'second')?.metadata).not.toHaveProperty('managedFields')
  })

  test('objects that changed while no watch was possible are seen, also when the version has expired', async () => {
    for (const name of ['stays', 'goes', 'anew']) await given.putTopic(name)
    const opened = await given.open()
    await allWatch()
    const uid = opened.store.get(topic, given.own.name, 'anew')?.metadata.uid
    const seen: [string, boolean][] = []
    opened.store.onChange(({ name }) => seen.push([name, opened.names().includes(name)]))

    given.proxy.fault = (one) => (isTopicWatch(one) ? { status: 503 } : undefined)
    given.proxy.cutWatches()
    await Promise.all(['goes', 'anew'].map(remove))
    await given.putTopic('anew', { unrouted: 'Drop' })
    await given.putTopic('comes')
    expect(opened.names()).toHaveLength(3)
    let forgotten = 0
    given.proxy.fault = (one) =>
      isTopicWatch(one) && forgotten++ === 0 ? { status: 410, reason: 'Expired' } : undefined

    await eventually(() => opened.names().includes('comes'))
    expect(opened.names().sort()).toEqual(['anew', 'comes', 'stays'])
    expect(opened.store.get(topic, given.own.name, 'anew')?.metadata.uid).not.toBe(uid)
    expect(seen.sort()).toEqual([
      ['anew', false],
      ['anew', true],
      ['comes', true],
      ['goes', false],
    ])
    expect(given.proxy.count('list', '/topics')).toBe(2)
  })

  test('a version that expires in the middle of a watch leads to a new list at once', async () => {
    const opened = await given.open()
    await allWatch()
    const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }
    given.proxy.inject(JSON.stringify({ type: 'ERROR', object: expired }))
    await eventually(() => given.proxy.count('list') === 2 * kinds.length)
    await given.putTopic('later')
    await eventually(() => opened.names().includes('later'))
    expect(given.proxy.count('list')).toBe(2 * kinds.length)
    expect(complaints()).toEqual([])
  })

  test('no change is missed over twenty cut connections and two hundred changes, and nothing is listed again', async () => {
    const opened = await given.open()
    await allWatch()
    const changing = (async () => {
      for (let at = 0; at < 200; at += 10) {
        await Promise.all(spread(10, (index) => given.putTopic(`topic-${at + index}`)))
        given.proxy.cutWatches()
      }
      await Promise.all(spread(50, (index) => remove(`topic-${4 * index}`)))
    })()
    await changing
    await eventually(() => opened.names().length === 150)
    expect(given.proxy.count('list')).toBe(kinds.length)
    expect(new Set(opened.changes.map(({ name }) => name)).size).toBe(200)
    // From where it was, not from where it began.
    const versions = () =>
      given.proxy.seen.filter(isTopicWatch).map(({ query }) => Number(query.get('resourceVersion')))
    given.proxy.cutWatches()
    await eventually(() => (versions().at(-1) ?? 0) > (versions()[0] ?? 0) + 200)
  })

  test('a list that fails three times is requested again with a growing backoff, and one in pages counts as one', async () => {
    await Promise.all(spread(7, (index) => given.putTopic(`topic-${index}`)))
    given.proxy.pageSize = 3
    let left = 3
    const at: number[] = []
    given.proxy.fault = ({ verb, path, query }) => {
      if (verb !== 'list' || !path.endsWith('/topics')) return undefined
      at.push(performance.now())
      // In the middle too, where the rest of a list may be forgotten.
      if (left === 1 && !query.has('continue')) return undefined
      return left-- > 0 ? { status: left === 0 ? 410 : 500 } : undefined
    }
    const opened = await given.open()
    expect(opened.names()).toHaveLength(7)
    // Two that failed, two pages of which the second did, and three pages.
    expect(given.proxy.count('list', '/topics')).toBe(7)
    const [first = 0, second = 0, third = 0] = at
    expect(second - first).toBeGreaterThan(99)
    expect(third - second).toBeGreaterThan(199)
    expect(complaints()).toHaveLength(1)
    expect(given.lines.at(-1)?.message).toBe('Listed the resources')
  })

  test('a watch that stays open without events past its end is replaced, and the changes it held back are seen', async () => {
    const opened = await given.open({ watchMs: 1_600 })
    await allWatch()
    given.proxy.holdWatches()
    await given.putTopic('unseen')
    expect(opened.names()).toEqual([])
    await eventually(() => opened.names().includes('unseen'))
    expect(given.proxy.count('list', '/topics')).toBe(1)
  })

  test('a watch that has never received anything is known since its first list, and its later lists are no sign of life', async () => {
    given.proxy.fault = ({ verb }) => (verb === 'watch' ? 'hang' : undefined)
    const begun = Date.now() / 1000
    await given.open({ watchMs: 300 })
    const received = async () => (await given.metrics.watchReceived.get()).values.map(({ value }) => value)
    const first = await received()
    expect(first).toHaveLength(kinds.length)
    for (const time of first) expect(time).toBeGreaterThanOrEqual(begun)
    const fault = { status: 410, reason: 'Expired' }
    given.proxy.fault = ({ verb }) => (verb === 'watch' ? fault : undefined)
    await eventually(() => given.proxy.count('list') >= 2 * kinds.length, { timeoutMs: 30_000 })
    expect(await received()).toEqual(first)

    given.proxy.fault = () => undefined
    await eventually(async () => (await received()).every((time, at) => time > (first[at] ?? 0)), { timeoutMs: 30_000 })
  })

  test('watches that end as requested are not faults, and need no new list', async () => {
    const opened = await given.open({ watchMs: 1_600 })
    await eventually(() => given.proxy.count('watch') > 3 * kinds.length)
    await given.putTopic('later')
    await eventually(() => opened.names().includes('later'))
    expect([given.proxy.count('list'), complaints()]).toEqual([kinds.length, []])
  })

  test('an invalid line ends a watch, and two in a row lead to a new list', async () => {
    const opened = await given.open()
    await allWatch()
    given.proxy.inject('{"type":"ADDED","object":{"metad')
    await eventually(() => given.proxy.count('watch') === 2 * kinds.length)
    expect(given.proxy.count('list')).toBe(kinds.length)
    await allWatch()
    given.proxy.inject('{"type":"WHAT"}')
    await eventually(() => given.proxy.count('list') === 2 * kinds.length)
    await given.putTopic('later')
    await eventually(() => opened.names().includes('later'))
  })

  test('a listener that throws, and invalid objects, do not affect other listeners and objects', async () => {
    const opened = await given.open()
    await allWatch()
    opened.store.onChange(() => {
      throw new Error('a fault of the listener')
    })
    const received: string[] = []
    opened.store.onChange(({ name }) => received.push(name))
    given.proxy.inject('{"type":"MODIFIED","object":{"metadata":{"name":7}}}')
    given.proxy.inject('{"type":"DELETED","object":null}')
    await given.putTopic('one')
    await given.putTopic('two')
    await eventually(() => received.length === 2)
    expect(complaints().map(({ message }) => message)).toEqual(spread(2, () => 'A change listener failed'))
  })

  test('a missing CustomResourceDefinition is logged once with what to do, and watching starts once it exists', async () => {
    await given.putTopic('first')
    let missing = true
    given.proxy.fault = ({ verb }) => (verb === 'list' && missing ? { status: 404, reason: 'NotFound' } : undefined)
    const opening = given.open()
    await eventually(() => given.proxy.count('list') > 2 * kinds.length)
    expect(complaints().map(({ message }) => message)).toEqual([
      'Install the CustomResourceDefinitions: kubectl apply -f crds/',
    ])
    missing = false
    expect((await opening).names()).toEqual(['first'])
    expect(given.lines.map(({ message }) => message)).toContain('Watching the resources on the API server again')
  })

  test('opening the store ends when its signal aborts', async () => {
    given.proxy.fault = () => ({ status: 500 })
    const stop = new AbortController()
    const opening = given.open({ signal: stop.signal })
    await eventually(() => given.proxy.count('list') > kinds.length)
    stop.abort(new Error('stopped'))
    await expect(opening).rejects.toThrow('stopped')
  })

  test('only the given namespaces are watched, and all of them if none is given', async () => {
    const other = await world(cleanUp)
    await given.putTopic('mine')
    await other.putTopic('theirs')
    const one = await given.open()
    expect(one.names()).toEqual(['mine'])
    expect(given.proxy.seen.every(({ path }) => path.includes(`/namespaces/${given.own.name}/`))).toBe(true)
    const heard = (await given.metrics.watchReceived.get()).values.map(({ labels }) => labels)
    expect(heard).toHaveLength(kinds.length)
    expect(heard).toEqual(kinds.map(() => expect.objectContaining({ namespace: given.own.name })))
    const both = await given.open({ namespaces: [given.own.name, other.own.name] })
    expect(both.names().sort()).toEqual(['mine', 'theirs'])
    const all = await given.open({ namespaces: [] })
    expect(all.names()).toEqual(expect.arrayContaining(['mine', 'theirs']))

    await Promise.all([given.putTopic('mine-too'), other.putTopic('theirs-too')])
    await eventually(() => both.names().length === 4 && all.names().includes('theirs-too'))
    expect(one.names().sort()).toEqual(['mine', 'mine-too'])
  })
})

describeWithApiServer('an API server that goes away', () => {
  test('an API server that was away is watched again, with at most one list of each kind', async () => {
    await using cleanUp = new AsyncDisposableStack()
    const server = cleanUp.adopt(await ownApiServer(), ({ stop }) => stop())
    const given = await world(cleanUp, server)
    await given.putTopic('before')
    const opened = await given.open()
    const complaints = () => given.lines.filter(({ level }) => level === 'warn' || level === 'error')

    await server.pause()
    // It is down for so long that everybody has tried again a few times.
    await eventually(() => given.proxy.count('watch') > 3 * kinds.length)
    expect(opened.names()).toEqual(['before'])
    await server.resume()
    await given.putTopic('after')
    await given.direct('DELETE', `/apis/waybill.dev/v1alpha1/namespaces/${given.own.name}/topics/before`)
    await eventually(() => opened.names().join() === 'after')
    expect(given.proxy.count('list')).toBeLessThanOrEqual(2 * kinds.length)
    expect(complaints().map(({ message }) => message)).toEqual([
      'Lost the watch on the API server; using the last known state',
    ])
  }, 60_000)
})
