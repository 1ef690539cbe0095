import { setTimeout as delay } from 'node:timers/promises'
import { replay } from '../../../src/api/kinds/replay.ts'
import { jobOf, subscriptionOf, topicOf } from '../../support/manifests.ts'
import { type Subscriber, startSubscriber } from '../../support/subscriber.ts'
import { type LettersStage, lettersStage } from './stage.ts'

/** What becomes of a Replay when connections are lost, letters keep coming, the rate is very low, or the process ends. */

let stage: LettersStage
const subscribers: Subscriber[] = []
beforeAll(async () => {
  stage = await lettersStage({ drainTimeoutMs: 1_000 })
})
afterEach(() => stage.folder.write('job', []))
afterAll(async () => {
  await stage.close()
  for (const each of subscribers) await each.close()
})

const start = (name: string, spec: object = {}): void => stage.folder.write('job', [jobOf('Replay', name, spec)])
const statusOf = (name: string) => stage.get(replay, name)?.status

type Connection = { readonly name: string; readonly vhost: string; readonly user_provided_name?: string }
/** Closes the connections on which a Replay holds letters. */
const cut = async (): Promise<void> => {
  await stage.eventually(async () => {
    const all = (await stage.vhost.manage('GET', '/connections')) as Connection[]
    const ours = all.filter((one) => one.vhost === stage.vhost.name && one.user_provided_name === 'waybill jobs')
    for (const { name } of ours) await stage.vhost.manage('DELETE', `/connections/${encodeURIComponent(name)}`)
    return ours.length > 0
  })
}

test('what was under way when the connection was lost is delivered again, and counted once', async () => {
  await stage.deadLettered('lost', 5)
  stage.subscriber.answer({ status: 204, afterMs: 7_000 })
  start('lost')
  await stage.eventually(() => stage.ids().length === 5)
  await cut()
  stage.subscriber.answer(204)
  await stage.condition(replay, 'lost', 'Complete', 'True', 'Completed')
  await stage.holds('lost', 0)
  expect(new Set(stage.ids()).size).toBe(5)
  expect(stage.ids().length).toBeLessThanOrEqual(10)
  expect(statusOf('lost')).toMatchObject({ matched: 5, delivered: 5, failed: 0, left: 0 })
})

test('one that takes no more than maxMessages ends after its connection was lost, too', async () => {
  await stage.deadLettered('most', 30)
  stage.subscriber.answer({ status: 204, afterMs: 1_000 })
  start('most', { maxMessages: 10, concurrency: 2 })
  await stage.eventually(() => stage.ids().length >= 4)
  await cut()
  stage.subscriber.answer(204)
  await stage.condition(replay, 'most', 'Complete', 'True', 'MaxMessagesReached')
  await stage.holds('most', 20)
  expect(new Set(stage.ids()).size).toBe(10)
})

test('it goes on while letters keep coming', async () => {
  await stage.deadLettered('stream', 5)
  stage.subscriber.answer(({ headers }) => (headers['waybill-attempt'] === '1' ? 400 : 204))
  const stop = new AbortController()
  const publishing = (async () => {
    for (; !stop.signal.aborted; await delay(20)) await stage.publish('stream', 1)
  })()
  start('stream', { rate: { requests: 100, ramp: false } })
  await stage.condition(replay, 'stream', 'Complete', 'True', 'Completed')
  stop.abort()
  await publishing
})

test('between two messages of a very low rate nothing is held', async () => {
  await stage.deadLettered('slow', 3)
  start('slow', { rate: { requests: 1, per: '1h', ramp: false } })
  await stage.eventually(() => stage.ids().length === 1)
  await stage.holds('slow', 2)
  for (let look = 0; look < 20; look++) {
    expect(await stage.dead('slow')).toBe(2)
    await delay(100)
  }
  expect(stage.ids()).toHaveLength(1)
})

test('while it takes letters, a Subscription that is given another address gets no more at the old one; suspended, nothing', async () => {
  await stage.deadLettered('moved', 60)
  const other = await startSubscriber()
  subscribers.push(other)
  start('moved', { rate: { requests: 5, ramp: false } })
  await stage.eventually(() => stage.ids().length >= 3)
  stage.folder.write('moved', [topicOf('moved'), subscriptionOf('moved', 'moved', other.url)])
  await stage.eventually(() => other.received.length >= 3, { timeoutMs: 20_000 })
  const sent = stage.ids().length
  expect(sent).toBeLessThan(40)
  stage.folder.write('moved', [topicOf('moved'), subscriptionOf('moved', 'moved', other.url, { suspend: true })])
  await stage.condition(replay, 'moved', 'Progressing', 'False', 'SubscriptionNotDelivering')
  await stage.eventually(async () => (await stage.dead('moved')) === 60 - stage.ids().length - other.received.length)
  expect(stage.ids()).toHaveLength(sent)
  expect(other.received.length).toBeLessThan(40)
})

test('when the process ends, what is under way ends within the drain timeout, and the rest is as it was', async () => {
  await stage.deadLettered('ending', 10)
  stage.subscriber.answer({ status: 204, afterMs: 400 })
  start('ending', { concurrency: 3 })
  await stage.eventually(() => stage.ids().length >= 3)
  const begun = performance.now()
  await stage.end()
  expect(performance.now() - begun).toBeLessThan(6_000)
  const sent = stage.ids().length
  await stage.holds('ending', 10 - sent)
})
