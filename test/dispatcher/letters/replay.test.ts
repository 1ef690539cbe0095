import { replay } from '../../../src/api/kinds/replay.ts'
import type { Message } from '../../../src/delivery/message/message.ts'
import { browse } from '../../../src/rabbit/amqp/holding/browse.ts'
import { jobOf } from '../../support/manifests.ts'
import { type LettersStage, lettersStage } from './stage.ts'

/** A Replay delivers dead letters once more, straight from their queue. */

let stage: LettersStage
beforeAll(async () => {
  stage = await lettersStage()
})
afterEach(() => stage.folder.write('job', []))
afterAll(() => stage.close())

const start = (name: string, spec: object = {}): void => stage.folder.write('job', [jobOf('Replay', name, spec)])
const ended = (name: string, how: 'Complete' | 'Failed', reason: string) =>
  stage.condition(replay, name, how, 'True', reason)
const statusOf = (name: string) => stage.get(replay, name)?.status
/** The bodies of the dead letters, in the order of their queue, which stays. */
const bodiesIn = async (name: string): Promise<number[]> => {
  const bodies: number[] = []
  const look = ({ content }: Message): void => void bodies.push(Number(content.toString()))
  await browse(
    stage.vhost.endpoint,
    { queue: `waybill.dlq.shop.${name}`, most: 1_000, look },
    AbortSignal.timeout(30_000),
  )
  return bodies
}

test('500 dead letters are delivered once each, with the ids of their first failure', async () => {
  const ids = await stage.deadLettered('fixed', 500)
  start('fixed', { canary: { messages: 3 } })
  await ended('fixed', 'Complete', 'Completed')
  expect(new Set(stage.ids())).toEqual(new Set(ids))
  expect(stage.ids()).toHaveLength(500)
  await stage.holds('fixed', 0)
  const { matched, delivered, failed, left, passed, completionTime } = statusOf('fixed')!
  expect({ matched, delivered, failed, left, passed }).toEqual({
    ...{ matched: 500, delivered: 500 },
    failed: 0,
    left: 0,
    passed: 0,
  })
  expect(completionTime).toBeDefined()
})

test('what fails again is tried once, stays a dead letter that says so, and is not tried by the same Replay', async () => {
  await stage.deadLettered('broken', 50)
  stage.subscriber.answer(({ body }) => (Number(body.toString()) % 5 === 0 ? 500 : 204))
  start('broken')
  const { message } = await ended('broken', 'Complete', 'Completed')
  expect(message).toBe('40 dead letters delivered, 10 failed again and stay dead letters')
  expect(stage.ids()).toHaveLength(50)
  expect(statusOf('broken')?.lastFailure).toMatchObject({ statusCode: 500 })
  await stage.holds('broken', 10)
  const letters = await stage.producer.look('waybill.dlq.shop.broken')
  for (const { properties } of letters)
    expect(properties.headers).toMatchObject({
      ...{ 'waybill-replays': 1, 'waybill-replay': stage.get(replay, 'broken')?.metadata.uid },
      ...{ 'waybill-reason': 'Exhausted', 'waybill-status': 500, 'waybill-attempts': 2 },
    })
})

test('where all fail again, each gets one request; another Replay takes them unless it takes only what was never replayed', async () => {
  await stage.deadLettered('again', 10)
  stage.subscriber.answer(503)
  start('again')
  await ended('again', 'Complete', 'Completed')
  expect(stage.ids()).toHaveLength(10)
  stage.folder.write('job', [jobOf('Replay', 'again', { selector: { replaysAtMost: 0 } }, 'never')])
  await ended('never', 'Complete', 'NothingMatched')
  expect(stage.ids()).toHaveLength(10)
  stage.folder.write('job', [jobOf('Replay', 'again', { selector: { replaysAtMost: 1 } }, 'once')])
  await ended('once', 'Complete', 'Completed')
  expect(stage.ids()).toHaveLength(20)
})

test('a selector takes what matches, and the rest stays in its order', async () => {
  await stage.subscribe('some')
  stage.subscriber.received.length = 0
  stage.subscriber.answer(({ body }) => (Number(body.toString()) % 2 === 0 ? 400 : 422))
  await stage.publish('some', 40)
  await stage.holds('some', 40)
  const before = await bodiesIn('some')
  stage.subscriber.received.length = 0
  stage.subscriber.answer(204)
  start('some', { selector: { statusCodes: ['422'] } })
  await ended('some', 'Complete', 'Completed')
  expect(stage.subscriber.received.map(({ body }) => Number(body.toString()) % 2)).toEqual(Array(20).fill(1))
  expect(statusOf('some')).toMatchObject({ matched: 20, delivered: 20, passed: 20 })
  expect(await bodiesIn('some')).toEqual(before.filter((body) => body % 2 === 0))
})

test('a selector that matches nothing takes nothing', async () => {
  await stage.deadLettered('none', 3)
  start('none', { selector: { groups: ['nosuchgroup'] } })
  await ended('none', 'Complete', 'NothingMatched')
  expect(stage.ids()).toEqual([])
  await stage.holds('none', 3)
})

test('a dry run counts, and takes nothing', async () => {
  await stage.deadLettered('dry', 7)
  start('dry', { dryRun: true })
  const { message } = await ended('dry', 'Complete', 'DryRun')
  expect(message).toBe('7 dead letters would be taken; nothing was')
  expect(statusOf('dry')).toMatchObject({ matched: 7, delivered: 0, left: 7 })
  expect(stage.ids()).toEqual([])
  await stage.holds('dry', 7)
})

test('a canary that fails ends it: nothing else is sent', async () => {
  await stage.deadLettered('canary', 30)
  stage.subscriber.answer(() => (stage.ids().length === 2 ? 500 : 204))
  start('canary', { canary: { messages: 3 } })
  const { message } = await ended('canary', 'Failed', 'CanaryFailed')
  expect(message).toMatch(/^The canary failed: message 2 of 3; 1 dead letter delivered, 1 failed again/)
  expect(stage.ids()).toHaveLength(2)
  await stage.holds('canary', 29)
})

test('too many failures end it, and what was not tried stays in its order', async () => {
  await stage.deadLettered('abort', 100)
  const before = await bodiesIn('abort')
  stage.subscriber.answer(503)
  start('abort', { abortOn: { failureRatePercent: 50, minimum: 10 }, concurrency: 2 })
  await ended('abort', 'Failed', 'TooManyFailures')
  const tried = stage.ids().length
  expect(tried).toBeLessThanOrEqual(12)
  const after = await bodiesIn('abort')
  expect(after.slice(0, 100 - tried)).toEqual(before.slice(tried))
  expect(new Set(after).size).toBe(100)
})

test('it takes no more than maxMessages', async () => {
  await stage.deadLettered('most', 20)
  start('most', { maxMessages: 5 })
  await ended('most', 'Complete', 'MaxMessagesReached')
  expect(stage.ids()).toHaveLength(5)
  await stage.holds('most', 15)
})

test('no second has more than the rate; a higher one counts at once; suspended, nothing is sent; resumed, it ends', async () => {
  await stage.deadLettered('rate', 60)
  const slow = { rate: { requests: 5, ramp: false } }
  start('rate', slow)
  await stage.eventually(() => stage.ids().length >= 12)
  const times = stage.subscriber.received.map(({ at }) => at)
  for (const from of times) expect(times.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(6)
  start('rate', { ...slow, suspend: true })
  await stage.condition(replay, 'rate', 'Suspended', 'True')
  await stage.eventually(async () => (await stage.dead('rate')) === 60 - stage.ids().length)
  const sent = stage.ids().length
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  expect(stage.ids()).toHaveLength(sent)
  start('rate', { rate: { requests: 200, ramp: false } })
  await ended('rate', 'Complete', 'Completed')
  expect(stage.ids()).toHaveLength(60)
})

test('who asks for a list while it runs gets one, of what is not delivered yet, and it goes on', async () => {
  await stage.deadLettered('shared', 300)
  const before = await bodiesIn('shared')
  start('shared', { rate: { requests: 10, ramp: false } })
  await stage.eventually(() => stage.ids().length > 0)
  const [seen, sent] = [await bodiesIn('shared'), stage.ids().length]
  expect(seen.length).toBeGreaterThan(0)
  expect(seen.length + sent).toBeGreaterThanOrEqual(300)
  expect(seen).toEqual(before.filter((each) => seen.includes(each)))
  start('shared', { rate: { requests: 1_000, ramp: false } })
  await ended('shared', 'Complete', 'Completed')
  expect(new Set(stage.ids()).size).toBe(300)
  expect(stage.ids()).toHaveLength(300)
})

test('messages of any priority are dead letters in the order of their failures; one up to a time takes exactly those', async () => {
  await stage.subscribe('prior', { delivery: { concurrency: 1 } })
  stage.subscriber.received.length = 0
  stage.subscriber.answer(400)
  const publish = (from: number) =>
    stage.producer.publish(
      'shop.prior',
      Array.from({ length: 10 }, (_, at) => ({ body: `${from + at}`, options: { priority: at % 2 === 0 ? 0 : 9 } })),
    )
  await publish(0)
  await stage.holds('prior', 10)
  const notAfter = new Date(Date.now() + 1).toISOString()
  await stage.eventually(() => Date.now() > Date.parse(notAfter))
  await publish(10)
  await stage.holds('prior', 20)
  const failed = stage.subscriber.received.map(({ body }) => Number(body.toString()))
  expect(await bodiesIn('prior')).toEqual(failed)
  stage.subscriber.received.length = 0
  stage.subscriber.answer(204)
  start('prior', { selector: { deadLettered: { notAfter } } })
  await ended('prior', 'Complete', 'Completed')
  const taken = stage.subscriber.received.map(({ body }) => Number(body.toString()))
  expect(taken.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(await bodiesIn('prior')).toEqual(failed.slice(10))
})

test('what is dead-lettered while it runs is left alone', async () => {
  await stage.deadLettered('live', 30)
  stage.subscriber.answer(({ headers }) => (headers['waybill-attempt'] === '1' ? 400 : 204))
  start('live', { rate: { requests: 20, ramp: false } })
  await stage.eventually(() => stage.ids().length > 3)
  await stage.publish('live', 10)
  await ended('live', 'Complete', 'Completed')
  expect(statusOf('live')).toMatchObject({ matched: 30, delivered: 30 })
  await stage.holds('live', 10)
})

test('several take turns by age, and each dead letter is taken by one', async () => {
  await stage.deadLettered('turns', 40)
  const slow = { rate: { requests: 20, ramp: false } }
  const jobs = [
    jobOf('Replay', 'turns', slow, 'a-first'),
    jobOf('Replay', 'turns', slow, 'b-second'),
    jobOf('Discard', 'turns', { reason: 'Too late' }, 'c-third'),
  ]
  stage.folder.write('job', jobs)
  const { message } = await stage.condition(replay, 'b-second', 'Progressing', 'False', 'AnotherJobRunning')
  expect(message).toMatch(/(Replay a-first|Discard c-third) is older, and is done first/)
  await stage.condition(replay, 'a-first', 'Complete', 'True')
  await stage.condition(replay, 'b-second', 'Complete', 'True')
  expect(new Set(stage.ids()).size).toBe(stage.ids().length)
  await stage.holds('turns', 0)
  // Those that have ended do nothing when they are applied again.
  const sent = stage.ids().length
  stage.subscriber.answer(400)
  await stage.publish('turns', 1)
  await stage.holds('turns', 1)
  stage.subscriber.answer(204)
  const last = jobOf('Replay', 'turns', { selector: { types: ['none'] } }, 'd-last')
  stage.folder.write('job', [...jobs, last])
  await ended('d-last', 'Complete', 'NothingMatched')
  await stage.holds('turns', 1)
  expect(stage.ids()).toHaveLength(sent + 1)
})

test('put back into the queue, they are delivered with all their attempts, as the same events', async () => {
  const ids = await stage.deadLettered('back', 10)
  stage.subscriber.answer(({ headers }) => (headers['waybill-attempt'] === '1' ? 503 : 204))
  start('back', { to: 'Queue' })
  await ended('back', 'Complete', 'Completed')
  await stage.eventually(() => stage.ids().length === 20, { timeoutMs: 40_000 })
  expect(new Set(stage.ids())).toEqual(new Set(ids))
})

test('a Subscription that is suspended waits, and a Replay that is deleted takes nothing more', async () => {
  await stage.deadLettered('rest', 20)
  start('rest', { rate: { requests: 5, ramp: false } })
  await stage.eventually(() => stage.ids().length > 2)
  stage.folder.write('job', [])
  await stage.eventually(async () => (await stage.dead('rest')) === 20 - stage.ids().length)
  const sent = stage.ids().length
  expect(sent).toBeLessThan(20)
  await stage.eventually(() => stage.get(replay, 'rest') === undefined)
})

test('what comes without saying when, after a Replay began, is left alone', async () => {
  await stage.subscribe('timeless')
  const put = (...bodies: number[]) =>
    stage.producer.publish(
      '',
      bodies.map((body) => ({ routingKey: 'waybill.dlq.shop.timeless', body: `${body}` })),
    )
  await put(1, 2, 3)
  stage.subscriber.received.length = 0
  stage.subscriber.answer(204)
  start('timeless', { canary: { messages: 1, settle: '2s' } })
  await stage.eventually(() => stage.subscriber.received.length === 1)
  await put(4, 5)
  await ended('timeless', 'Complete', 'Completed')
  expect(stage.subscriber.received.map(({ body }) => Number(body.toString()))).toEqual([
    1,
    expect.any(Number),
    expect.any(Number),
  ])
  expect(statusOf('timeless')).toMatchObject({ matched: 3, delivered: 3, left: 0, passed: 2 })
  await stage.holds('timeless', 2)
  expect(await bodiesIn('timeless')).toEqual([4, 5])
})
