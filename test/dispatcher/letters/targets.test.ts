import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { queue as queueKind } from '../../../src/api/kinds/queue.ts'
import { replay } from '../../../src/api/kinds/replay.ts'
import { topic } from '../../../src/api/kinds/topic.ts'
import { brokerOf, deadLetterPolicyOf, jobFrom, jobOf, queueOf, topicOf } from '../../support/manifests.ts'
import { tcpProxy } from '../../support/tcp-proxy.ts'
import { type LettersStage, lettersStage } from './stage.ts'

/** Where a Replay puts dead letters, and what becomes of them where that is gone, full, or cannot be reached. */

let stage: LettersStage
let proxy: Awaited<ReturnType<typeof tcpProxy>>
beforeAll(async () => {
  stage = await lettersStage()
  proxy = await tcpProxy(stage.vhost.endpoint.amqp)
  const url = new URL(stage.vhost.secret.connection_string)
  url.port = String(proxy.port)
  const secret = { ...stage.vhost.secret, connection_string: url.href }
  stage.folder.write('broker', brokerOf({ ...stage.vhost, secret }))
})
afterEach(() => stage.folder.write('job', []))
afterAll(async () => {
  await stage.close()
  await proxy.close()
})

const start = (name: string, spec: object = {}): void => stage.folder.write('job', [jobOf('Replay', name, spec)])
const ended = (name: string, how: 'Complete' | 'Failed', reason: string) =>
  stage.condition(replay, name, how, 'True', reason)
const statusOf = (name: string) => stage.get(replay, name)!.status!
const makeQueue = async (name: string, spec: object = {}): Promise<void> => {
  stage.folder.write(name, [queueOf(name, spec)])
  await stage.condition(queueKind, name, 'Ready', 'True')
}
const count = async (queue: string) => (await stage.producer.channel.checkQueue(queue)).messageCount

/** Does something when the broker has confirmed so many copies. */
const afterCopies = (copies: number, act: () => void): (() => void) => {
  let left = copies
  const seen = (): void => {
    left -= 1
    if (left === 0) act()
  }
  subscribe('waybill:copy-confirmed:after', seen)
  return () => void unsubscribe('waybill:copy-confirmed:after', seen)
}

test('another Subscription delivers them', async () => {
  const ids = await stage.deadLettered('moved', 20)
  await stage.subscribe('taker')
  start('moved', { target: { subscriptionRef: { name: 'taker' } } })
  const { message } = await ended('moved', 'Complete', 'Completed')
  expect(message).toBe('20 dead letters put into the queue of Subscription taker')
  await stage.eventually(() => stage.ids().length === 20)
  expect(stage.ids().toSorted()).toEqual(ids.toSorted())
  await stage.holds('moved', 0)
})

test('a target that is full ends it, and what it has no room for is where it was', async () => {
  await stage.deadLettered('many', 20)
  await makeQueue('small', { maxLength: 5 })
  start('many', { target: { queueRef: { name: 'small' } }, concurrency: 1 })
  const { message } = await ended('many', 'Failed', 'TargetFull')
  expect(message).toMatch(/refused the copy: it is full or failing; \d+ dead letters put into .*, \d+ left as they are/)
  const inTarget = await count('shop.small')
  expect(inTarget).toBeGreaterThanOrEqual(5)
  expect(statusOf('many')).toMatchObject({ matched: 20, delivered: inTarget, failed: 0, left: 20 - inTarget })
  await stage.holds('many', 20 - inTarget)
  expect(stage.ids()).toEqual([])
})

test('when a target is deleted in the middle, what was not yet there is where it was; it ends, unless the queue is back', async () => {
  await stage.deadLettered('half', 300)
  await makeQueue('brief')
  const gone = Promise.withResolvers<unknown>()
  const stop = afterCopies(20, () => gone.resolve(stage.producer.channel.deleteQueue('shop.brief')))
  start('half', { target: { queueRef: { name: 'brief' } }, concurrency: 2 })
  await stage.eventually(() => statusOf('half').completionTime !== undefined)
  stop()
  const { delivered = 0, left = 0, conditions = [] } = statusOf('half')
  expect(conditions.find(({ status }) => status === 'True')!.reason).toMatch(/^(TargetGone|TargetFull|Completed)$/)
  expect(delivered + left).toBe(300)
  await gone.promise
  // A slow broker refuses for longer while it deletes. What it had confirmed went with the queue, and nothing else.
  await stage.holds('half', left)
})

test('a target that does not exist yet is waited for', async () => {
  await stage.deadLettered('waits', 3)
  start('waits', { target: { queueRef: { name: 'later' } } })
  const { message } = await stage.condition(replay, 'waits', 'Progressing', 'False', 'NotDeclared')
  expect(message).toBe('Queue/shop/later does not exist')
  await makeQueue('later')
  await ended('waits', 'Complete', 'Completed')
  expect(await count('shop.later')).toBe(3)
})

test('when connections are lost in the middle, it goes on by itself, and nothing is lost', async () => {
  const ids = await stage.deadLettered('cut', 200)
  await makeQueue('whole')
  const stop = afterCopies(60, () => proxy.cut())
  start('cut', { target: { queueRef: { name: 'whole' } } })
  await ended('cut', 'Complete', 'Completed')
  stop()
  await stage.holds('cut', 0)
  const found = await stage.producer.look('shop.whole')
  expect(new Set(found.map(({ properties }) => properties.messageId)).size).toBe(200)
  expect(found.length).toBeLessThanOrEqual(200 + 5)
  expect(ids).toHaveLength(200)
  expect(statusOf('cut')).toMatchObject({ matched: 200, delivered: 200, failed: 0, left: 0 })
})

test('what fails again has room in a dead-letter queue that is full and refuses more', async () => {
  const retention = { maxLength: 5, whenFull: 'Refuse' }
  stage.folder.write('strict', [deadLetterPolicyOf('strict', { default: true, retention })])
  await stage.deadLettered('full', 5)
  stage.subscriber.answer(500)
  start('full')
  await ended('full', 'Complete', 'Completed')
  expect(statusOf('full')).toMatchObject({ matched: 5, delivered: 0, failed: 5 })
  await stage.holds('full', 5)
})

test('a dead letter that went through delays goes back into its queue, through delays again, and is delivered', async () => {
  await stage.subscribe('ladder', { delivery: { retry: { maxAttempts: 3, schedule: ['100ms', '100ms'] } } })
  stage.subscriber.received.length = 0
  let fails = 5
  stage.subscriber.answer(() => (fails-- > 0 ? 500 : 204))
  await stage.producer.publish('shop.ladder', [{ body: 'x', options: { priority: 4 } }])
  await stage.holds('ladder', 1)
  start('ladder', { to: 'Queue' })
  await ended('ladder', 'Complete', 'Completed')
  await stage.eventually(() => stage.ids().length === 6)
  expect(new Set(stage.ids()).size).toBe(1)
  await stage.holds('ladder', 0)
})

test('parked events whose connection is lost are with those who want them, or parked; the counts are true', async () => {
  stage.folder.write('mixed', [topicOf('mixed')])
  await stage.condition(topic, 'mixed', 'Ready', 'True')
  const keys = Array.from({ length: 100 }, (_, index) => (index % 2 ? 'wanted' : 'unwanted'))
  await stage.producer.publish(
    'shop.mixed',
    keys.map((routingKey, index) => ({ routingKey, body: `${index}` })),
  )
  const parked = 'waybill.unrouted.shop.mixed'
  await stage.eventually(async () => (await count(parked)) === 100)
  await makeQueue('wants', { bindings: [{ topicRef: { name: 'mixed' }, routingKeys: ['wanted'] }] })
  const stop = afterCopies(30, () => proxy.cut())
  stage.folder.write('job', [jobFrom('Replay', 'mixed', { topicRef: { name: 'mixed' } })])
  await ended('mixed', 'Complete', 'Completed')
  stop()
  expect(statusOf('mixed')).toMatchObject({ matched: 100, delivered: 50, failed: 50, left: 0 })
  for (const queue of ['shop.wants', parked]) {
    const found = await stage.producer.look(queue)
    expect(new Set(found.map(({ content }) => content.toString())).size).toBe(50)
    expect(found.length).toBeLessThanOrEqual(50 + 5)
  }
})
