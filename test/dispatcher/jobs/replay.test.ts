import { replay } from '../../../src/api/kinds/replay.ts'
import { subscription } from '../../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../../support/in-process.ts'
import { brokerOf, jobOf, subscriptionOf, topicOf } from '../../support/manifests.ts'
import { connectProducer, type Producer } from '../../support/publish.ts'
import { type Subscriber, startSubscriber } from '../../support/subscriber.ts'
import { eventually } from '../../support/wait.ts'

/** A Replay delivers dead letters once more, straight from their queue. */

let stage: Stage
let producer: Producer
let subscriber: Subscriber

beforeAll(async () => {
  stage = await startStage()
  stage.folder.write('broker', brokerOf(stage.vhost, { resyncInterval: '1s' }))
  subscriber = await startSubscriber()
  producer = await connectProducer(stage.vhost.amqpUrl)
})
beforeEach(() => {
  subscriber.received.length = 0
  subscriber.answer(204)
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

const dlqOf = (name: string): string => `waybill.dlq.shop.${name}`
const deadOf = async (name: string): Promise<number> => (await producer.channel.checkQueue(dlqOf(name))).messageCount

/** A Subscription with so many dead letters, which were answered `status`. */
const deadLettered = async (name: string, count: number, status = 400): Promise<string[]> => {
  stage.folder.write(name, [
    topicOf(name),
    subscriptionOf(name, name, subscriber.url, { delivery: { concurrency: 20 } }),
  ])
  await stage.condition(subscription, name, 'Ready', 'True')
  subscriber.answer(status)
  const bodies = Array.from({ length: count }, (_, index) => ({ body: `${index}` }))
  await producer.publish(`shop.${name}`, bodies)
  await eventually(async () => (await deadOf(name)) === count, { timeoutMs: 30_000 })
  const ids = subscriber.received.map(({ headers }) => String(headers['webhook-id']))
  subscriber.received.length = 0
  subscriber.answer(204)
  return ids
}

const idsReceived = (): string[] => subscriber.received.map(({ headers }) => String(headers['webhook-id']))

test('500 dead letters are delivered once each, with the ids of their first failure, and the Replay is Complete', async () => {
  const ids = await deadLettered('mended', 500)
  stage.folder.write('replay', [jobOf('Replay', 'mended', { canary: { messages: 3 } })])
  await stage.condition(replay, 'mended', 'Complete', 'True', 'Completed')
  expect(new Set(idsReceived())).toEqual(new Set(ids))
  expect(subscriber.received).toHaveLength(500)
  expect(await deadOf('mended')).toBe(0)
  expect(stage.get(replay, 'mended')?.status).toMatchObject({
    matched: 500,
    delivered: 500,
    failed: 0,
    left: 0,
    passed: 0,
  })
}, 60_000)

test('what fails again is tried once, stays a dead letter in its place behind the others, and is not tried by the same Replay', async () => {
  await deadLettered('broken', 50)
  subscriber.answer(({ body }) => (Number(body.toString()) % 5 === 0 ? 500 : 204))
  stage.folder.write('replay', [jobOf('Replay', 'broken')])
  const { message } = await stage.condition(replay, 'broken', 'Complete', 'True', 'Completed')
  expect(message).toBe('40 dead letters delivered, 10 failed again and stay dead letters')
  expect(subscriber.received).toHaveLength(50)
  const letters = await producer.look(dlqOf('broken'))
  expect(letters).toHaveLength(10)
  for (const { properties } of letters) {
    expect(properties.headers).toMatchObject({
      'waybill-replays': 1,
      'waybill-reason': 'Exhausted',
      'waybill-status': 500,
      'waybill-attempts': 2,
    })
    expect(properties.headers!['waybill-replay']).toBe(stage.get(replay, 'broken')?.metadata.uid)
  }
})
