import { topic } from '../../../src/api/kinds/topic.ts'
import type { Notice } from '../../../src/store/store.ts'
import { describeWithApiServer } from '../../support/api-server.ts'
import { eventually } from '../../support/wait.ts'
import { type World, worldForEach } from './opened.ts'

const notice = (message: string): Notice => ({ type: 'Warning', reason: 'Conflicted', message })

describeWithApiServer('Events', () => {
  let given: World
  worldForEach((made) => {
    given = made
  })

  type Stored = { readonly message: string; readonly count: number; readonly involvedObject: { readonly uid: string } }
  const stored = async () => {
    const { body } = await given.direct('GET', `/api/v1/namespaces/${given.own.name}/events`)
    return (body as { items: Stored[] }).items
  }
  const openedWith = async (name: string) => {
    await given.putTopic(name)
    const { store, close } = await given.open()
    const resource = store.get(topic, given.own.name, name)
    if (resource === undefined) throw new Error('It is not known')
    return { store, resource, close, record: (message: string) => store.record(resource, notice(message)) }
  }

  test('Events name the resource and the process, and kubectl describe shows them', async () => {
    const { record, resource } = await openedWith('orders')
    record('claimed by another')
    const [event] = await eventually(async () => {
      const found = await stored()
      return found.length > 0 && found
    })
    expect(event).toMatchObject({
      metadata: { name: expect.stringMatching(/^orders\.[0-9a-f]{16}$/) },
      involvedObject: { kind: 'Topic', name: 'orders', uid: resource.metadata.uid },
      type: 'Warning',
      reason: 'Conflicted',
      message: 'claimed by another',
      count: 1,
      source: { component: 'waybill-operator' },
      reportingComponent: 'waybill-operator',
      reportingInstance: 'test',
    })
    expect(await given.own.kubectl(['describe', 'topic', 'orders'])).toMatch(/Warning +Conflicted .*waybill-operator/)
  })

  test('Events are counted when they happen again, even if the Event was deleted meanwhile', async () => {
    const { record } = await openedWith('orders')
    for (let times = 0; times < 3; times++) record('again')
    record('other')
    await eventually(async () => (await stored()).length === 2)
    record('again')
    const counts = async () => new Map((await stored()).map(({ message, count }) => [message, count]))
    await eventually(async () => (await counts()).get('again') === 4)
    expect(await counts()).toEqual(
      new Map([
        ['again', 4],
        ['other', 1],
      ]),
    )
    await given.direct('DELETE', `/api/v1/namespaces/${given.own.name}/events`)
    record('again')
    await eventually(async () => (await counts()).get('again') === 5)
  })

  test('Events of one resource are limited, and do not delay those of others', async () => {
    await given.putTopic('quiet')
    const { store, record } = await openedWith('loud')
    for (let index = 0; index < 100; index++) record(`line ${index}`)
    const quiet = store.get(topic, given.own.name, 'quiet')
    if (quiet) store.record(quiet, notice('at last'))
    const messages = async () => (await stored()).map(({ message }) => message)
    await eventually(async () => (await messages()).includes('at last'))
    expect((await messages()).sort()).toEqual(
      ['at last', ...Array.from({ length: 25 }, (_, at) => `line ${at}`)].sort(),
    )
  })

  test('Events are stored later if the server is away for a while, and dropped if it refuses them', async () => {
    const { record } = await openedWith('orders')
    let posts = 0
    const faults = [{ status: 503 }, { status: 500 }, 'cut', undefined, { status: 403, reason: 'Forbidden' }] as const
    given.proxy.fault = ({ verb }) => (verb === 'post' ? faults[posts++] : undefined)
    record('patience')
    record('refused')
    record('after all')
    await eventually(async () => (await stored()).length === 2, { timeoutMs: 20_000 })
    expect((await stored()).map(({ message }) => message).sort()).toEqual(['after all', 'patience'])
    expect(given.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
  })

  test('Events that remain are stored when Waybill stops, but only for a short time', async () => {
    const { record, close } = await openedWith('orders')
    for (let index = 0; index < 20; index++) record(`line ${index}`)
    await close()
    expect(await stored()).toHaveLength(20)

    const again = await openedWith('orders')
    given.proxy.fault = ({ verb }) => (verb === 'post' ? 'hang' : undefined)
    again.record('never')
    again.record('nor this')
    const begun = performance.now()
    await again.close()
    expect(performance.now() - begun).toBeLessThan(3_000)
  })
})
