import { isTrue } from '../../src/api/conditions.ts'
import { queue } from '../../src/api/kinds/queue.ts'
import { replay } from '../../src/api/kinds/replay.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import type { Kind } from '../../src/api/resource.ts'
import { waybillIn } from '../cli/waybill.ts'
import { queueOf, topicOf } from '../support/manifests.ts'
import { eventually } from '../support/wait.ts'
import { type LetterShop, openLetterShop, sequence } from './letter-shop.ts'

/** Replays and Discards from the command line, on a running `waybill run`. */

let it: LetterShop
beforeAll(async () => {
  it = await openLetterShop()
})
afterAll(() => it[Symbol.asyncDispose]())

const dl = (name: string, ...args: string[]) =>
  waybillIn(
    it.env,
    ...['dead-letters', name, 'shop/billing', ...args],
    ...['--server', it.data, '--status-server', it.waybill.server],
  )

test('without a selector nothing is done, and without anybody to ask only what was agreed to before', async () => {
  await it.dead(sequence(0, 20))
  const none = await dl('replay')
  expect([none.code, none.err]).toEqual([2, expect.stringContaining('say which dead letters are meant')])
  const dry = await dl('replay', '--status', '4xx', '--dry-run')
  expect([dry.code, dry.err]).toEqual([0, '20 dead letters of shop/billing match\n'])
  const asked = await dl('replay', '--all')
  expect([asked.code, asked.err]).toEqual([2, expect.stringContaining('there is nobody to ask: say -y')])
  const wrong = await dl('replay', '--status', '4x', '-y')
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('must be a status code such as 503')])
  const nothing = await waybillIn(
    it.env,
    ...['dl', 'replay', 'shop/nothing', '--all', '-y'],
    ...['--server', it.data, '--status-server', it.waybill.server],
  )
  expect([nothing.code, nothing.err]).toEqual([
    1,
    expect.stringMatching(/^Error: Subscription shop\/nothing does not /),
  ])
  expect(it.subscriber.received).toHaveLength(20)
  await eventually(async () => (await it.ready()) === 20)
})

test('what fails again makes it end with 1; once the subscriber is well, a replay delivers the rest', async () => {
  it.subscriber.answer(({ body }) => (JSON.parse(body.toString()).seq % 4 === 0 ? 500 : 204))
  const some = await dl('replay', '--all', '-y')
  expect([some.code, some.err]).toEqual([1, expect.stringContaining('15 dead letters delivered, 5 failed again')])
  it.subscriber.answer(204)
  const limited = await dl('replay', '--since', '2h', '--max', '1', '-y')
  expect([limited.code, limited.err]).toEqual([1, expect.stringContaining('\n4 are left, because of --max')])
  const rest = await dl('replay', '--status', '500', '--canary', '1', '--rate', '50/s', '-y')
  expect([rest.code, rest.err]).toEqual([0, expect.stringContaining('4 dead letters delivered\n')])
  expect(rest.err).toMatch(/replay\/billing-[0-9a-f]{8} in namespace shop/)
  await eventually(async () => (await it.ready()) === 0)
  const made = await it.waybill.list(replay)
  expect(made.every(({ spec }) => spec.requestedBy !== undefined)).toBe(true)
})

test('what is discarded can be restored', async () => {
  it.subscriber.answer(400)
  await it.shop.publish(sequence(20, 25))
  await eventually(async () => (await it.ready()) === 5)
  const away = await dl('discard', '--all', '--why', 'of a test', '-y')
  expect([away.code, away.err]).toEqual([0, expect.stringContaining('5 dead letters discarded\n')])
  await eventually(async () => (await it.ready()) === 0)
  const back = await dl('restore', '--all', '-y')
  expect([back.code, back.err]).toEqual([0, expect.stringContaining('5 dead letters restored\n')])
  await eventually(async () => (await it.ready()) === 5)
})

test('one that has ended is gone after its ttlAfterFinished', async () => {
  const to = `${it.data}/apis/waybill.dev/v1alpha1/namespaces/shop/replays`
  const spec = { subscriptionRef: { name: 'billing' }, selector: { all: true }, dryRun: true, ttlAfterFinished: '1s' }
  const manifest = { apiVersion: 'waybill.dev/v1alpha1', kind: 'Replay', metadata: { name: 'short' }, spec }
  const headers = { authorization: `Bearer ${it.token}`, 'content-type': 'application/json' }
  const { status } = await fetch(to, { method: 'POST', headers, body: JSON.stringify(manifest) })
  expect(status).toBe(201)
  const short = async () => (await it.waybill.list(replay)).find(({ metadata }) => metadata.name === 'short')
  await eventually(async () => (await short())?.status?.completionTime !== undefined)
  await eventually(async () => (await short()) === undefined)
})

test('who does not have the token makes nothing', async () => {
  const to = `${it.data}/apis/waybill.dev/v1alpha1/namespaces/shop/replays`
  const answer = await fetch(to, { method: 'POST', body: '{}' })
  expect(answer.status).toBe(401)
})

test('parked events are put into a queue', async () => {
  it.shop.folder.write('late', [topicOf('late'), queueOf('taker')])
  const isReady = async (kind: Kind, name: string) => {
    const found = (await it.waybill.list(kind)).find(({ metadata }) => metadata.name === name)
    return isTrue(found?.status?.conditions, 'Ready')
  }
  await eventually(async () => (await isReady(topic, 'late')) && (await isReady(queue, 'taker')))
  await it.shop.producer.publish('shop.late', [{ routingKey: 'a', body: 'x' }])
  const args = ['--from', 'topic', '--all', '-y', '--to-queue', 'taker']
  const { code, err } = await waybillIn(
    it.env,
    ...['dead-letters', 'replay', 'shop/late', ...args],
    ...['--server', it.data, '--status-server', it.waybill.server],
  )
  expect([code, err]).toEqual([0, expect.stringContaining('1 parked events of shop/late match')])
  expect(err).toContain('1 parked event put into the queue of Queue taker\n')
  expect((await it.shop.producer.channel.checkQueue('shop.taker')).messageCount).toBe(1)
})
