import { createClient } from '../../../src/store/kubernetes/api/client.ts'
import { releaseAll } from '../../../src/store/kubernetes/unwatched/release-all.ts'
import { finalizer } from '../../../src/store/store.ts'
import { describeWithApiServer } from '../../support/api-server.ts'
import { mergePatch, type World, worldForEach } from './opened.ts'

describeWithApiServer('releasing a namespace', () => {
  let given: World
  let cleanUp: AsyncDisposableStack
  worldForEach((made, stack) => {
    given = made
    cleanUp = stack
  })

  const path = (name: string) => `/apis/waybill.dev/v1alpha1/namespaces/${given.own.name}/topics/${name}`
  const held = async (...names: string[]) => {
    for (const name of names) {
      await given.putTopic(name)
      await given.direct('PATCH', path(name), { metadata: { finalizers: [finalizer] } }, mergePatch)
    }
  }
  const isHeld = async (name: string): Promise<boolean> => {
    const { body } = await given.direct('GET', path(name))
    return (body as { metadata: { finalizers?: string[] } }).metadata.finalizers !== undefined
  }
  const releasing = () => {
    const client = createClient(given.proxy.cluster(), { component: 'test', metrics: given.metrics })
    cleanUp.defer(client.close)
    const times = new Map<string, number>()
    return () =>
      releaseAll(
        client,
        given.own.name,
        () => false,
        times,
        () => undefined,
      )
  }

  test.each([403, 422, 500])('one that was refused with %s is not forgotten, however often', async (status) => {
    await held('first', 'refused', 'second')
    const release = releasing()
    given.proxy.fault = ({ verb, path: to }) => (verb === 'patch' && to.includes('refused') ? { status } : undefined)
    for (let times = 0; times < 4; times++) await expect(release()).rejects.toMatchObject({ status })
    // Nor does it hold up others; who is busy is not asked for more.
    expect([await isHeld('first'), await isHeld('refused'), await isHeld('second')]).toEqual([
      false,
      true,
      status === 500,
    ])
    given.proxy.fault = () => undefined
    expect(await release()).toBe(status === 500 ? 2 : 1)
    expect([await isHeld('refused'), await isHeld('second')]).toEqual([false, false])
    expect(await release()).toBe(0)
  })

  test('one that another installation takes up again is released three times', async () => {
    await held('taken')
    const release = releasing()
    for (const count of [1, 1, 1, 0]) {
      expect(await release()).toBe(count)
      await held('taken')
    }
    expect(await isHeld('taken')).toBe(true)
  })
})
