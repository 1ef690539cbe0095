import type { GetMessage } from 'amqplib'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Behaviour, type Received, type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

let stage: Stage
let producer: Producer
let subscriber: Subscriber

beforeAll(async () => {
  stage = await startStage()
  subscriber = await startSubscriber()
  producer = await connectProducer(stage.vhost.amqpUrl)
  stage.folder.write('base', brokerOf(stage.vhost))
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

const quick = { schedule: ['100ms'], maxAttempts: 2 }

/** Subscribes `name` to a topic of the same name, delivered to the subscriber at the path of that name. */
const subscribe = async (name: string, delivery: object): Promise<void> => {
  const spec = { delivery, subscriber: { url: `${subscriber.url}${name}` } }
  stage.folder.write(name, [topicOf(name), subscriptionOf(name, name, '', spec)])
  await stage.condition(subscription, name, 'Ready', 'True')
}
const publish = (name: string, ...ids: string[]): Promise<string[]> =>
  producer.publish(
    `shop.${name}`,
    ids.map((id) => ({ routingKey: 'order.placed', body: `body of ${id}`, options: { messageId: id } })),
  )
const receivedBy = (name: string): Received[] => subscriber.received.filter(({ path }) => path === `/${name}`)
/** Answers each path by its own behaviour. */
const behaviours = new Map<string, Behaviour>()
const answer = (name: string, behaviour: Behaviour): void => {
  behaviours.set(`/${name}`, behaviour)
  subscriber.answer((one) => behaviours.get(one.path)?.(one) ?? 204)
}
const deadLetters = (name: string): Promise<GetMessage[]> => producer.look(`waybill.dlq.shop.${name}`)
const idOf = ({ headers }: Received): string => String(headers['ce-id'])

test('each answer is delivered, retried or dead-lettered as documented', async () => {
  const delivered = [200, 201, 202, 204, 206, 299]
  const rejected = [400, 405, 413, 415, 422]
  const retried = [
    300, 301, 302, 304, 307, 308, 401, 402, 403, 404, 406, 407, 408, 409, 418, 425, 429, 451, 500, 502, 503, 504, 599,
  ]
  const broken = ['hang', 'reset']
  await subscribe('table', { timeout: '500ms', concurrency: 50, retry: quick })
  answer('table', (one) => {
    const what = idOf(one)
    return what === 'hang' || what === 'reset' ? what : Number(what)
  })
  const all = [...delivered, ...rejected, ...retried, ...broken].map(String)
  await publish('table', ...all)
  const found = new Map<string, string>()
  await eventually(async () => {
    for (const { properties } of await deadLetters('table')) {
      const {
        'waybill-reason': reason,
        'waybill-attempts': attempts,
        'waybill-status': status,
      } = properties.headers ?? {}
      found.set(properties.messageId, `${reason} after ${attempts}, ${status ?? 'no status'}`)
    }
    return found.size === rejected.length + retried.length + broken.length
  })
  expect(Object.fromEntries(found)).toEqual({
    ...Object.fromEntries(rejected.map((code) => [code, `Rejected after 1, ${code}`])),
    ...Object.fromEntries(retried.map((code) => [code, `Exhausted after 2, ${code}`])),
    ...Object.fromEntries(broken.map((what) => [what, 'Exhausted after 2, no status'])),
  })
  const attempts = new Map<string, string[]>()
  for (const one of receivedBy('table')) {
    attempts.set(idOf(one), [...(attempts.get(idOf(one)) ?? []), String(one.headers['waybill-attempt'])])
  }
  const twice = new Set([...retried.map(String), ...broken])
  expect(Object.fromEntries(attempts)).toEqual(
    Object.fromEntries(all.map((id) => [id, twice.has(id) ? ['1', '2'] : ['1']])),
  )
  const { status } = stage.get(subscription, 'table')!
  await eventually(() => stage.get(subscription, 'table')?.status?.delivery?.deadLettered === found.size)
  expect(status?.queue).toBe('waybill.sub.shop.table')
})

test('a dead letter is the unchanged message with headers that say what happened', async () => {
  await subscribe('letter', { retry: quick })
  answer('letter', () => 400)
  const properties = {
    ...{
      messageId: 'm-1',
      contentType: 'text/x-y',
      contentEncoding: 'gzip',
      correlationId: 'c',
      type: 't',
      appId: 'a',
    },
    ...{
      timestamp: 1_700_000_000,
      priority: 3,
      replyTo: 'r',
      headers: { own: 'kept', 'x-own': [1, 'two'], 'waybill-x': 1 },
    },
  }
  const before = Date.now()
  await producer.publish('shop.letter', [{ routingKey: 'a.b', body: Buffer.from([0, 255, 1]), options: properties }])
  const [letter] = await eventually(async () => {
    const letters = await deadLetters('letter')
    return letters.length > 0 && letters
  })
  expect(letter!.content).toEqual(Buffer.from([0, 255, 1]))
  const { headers, priority, ...rest } = properties
  expect(letter!.properties).toMatchObject({ ...rest, deliveryMode: 2, expiration: undefined, priority: undefined })
  expect(headers['waybill-x']).toBe(1)
  const {
    'waybill-first-attempt': first,
    'waybill-last-attempt': last,
    'waybill-dead-lettered': dead,
    'waybill-history': history,
    ...others
  } = letter!.properties.headers ?? {}
  // RabbitMQ 3 counts the read of this test.
  delete others['x-delivery-count']
  expect(others).toEqual({
    ...{ own: 'kept', 'x-own': [1, 'two'] },
    'waybill-reason': 'Rejected',
    'waybill-error': 'The subscriber answered 400',
    'waybill-status': 400,
    'waybill-priority': priority,
    'waybill-attempts': 1,
    'waybill-subscription': 'shop/letter',
    'waybill-queue': 'waybill.sub.shop.letter',
    'waybill-exchange': 'shop.letter',
    'waybill-routing-key': 'a.b',
  })
  expect([first, dead]).toEqual([last, last])
  expect(history).toMatch(/^20\S+Z 400 \d+$/)
  expect(Date.parse(first)).toBeGreaterThanOrEqual(before)
})

test('retryOn and deadLetterOn take precedence over the defaults', async () => {
  await subscribe('lists', {
    retry: { ...quick, retryOn: ['400', '5xx'], deadLetterOn: ['503', '4xx'] },
    onGone: 'DeadLetter',
  })
  answer('lists', (one) => Number(idOf(one)))
  await publish('lists', '400', '404', '410', '500', '503')
  const found: Record<string, string> = {}
  await eventually(async () => {
    for (const { properties } of await deadLetters('lists')) {
      found[properties.messageId] = properties.headers?.['waybill-reason']
    }
    return Object.keys(found).length === 5
  })
  expect(found).toEqual({ 400: 'Exhausted', 404: 'Rejected', 410: 'Gone', 500: 'Exhausted', 503: 'Rejected' })
})

test('Retry-After is a lower bound of the wait, over as many delays as needed, and counts as one attempt', async () => {
  await subscribe('later', { retry: { schedule: ['100ms', '300ms'], maxAttempts: 3 } })
  const until = Date.now() + 3_000
  answer('later', () =>
    receivedBy('later').length === 1
      ? { status: 503, headers: { 'retry-after': new Date(until).toUTCString() } }
      : receivedBy('later').length === 2
        ? { status: 429, headers: { 'retry-after': '0' } }
        : 200,
  )
  await publish('later', 'patient')
  await eventually(() => receivedBy('later').length === 3)
  const [first, second, third] = receivedBy('later')
  // An HTTP date has whole seconds.
  const wanted = Math.floor(until / 1000) * 1000
  expect(second!.at).toBeGreaterThanOrEqual(wanted)
  expect(second!.at - wanted).toBeLessThan(2_000)
  expect(third!.at - second!.at).toBeGreaterThanOrEqual(300)
  expect([first, second, third].map((one) => one!.headers['waybill-attempt'])).toEqual(['1', '2', '3'])
  expect(new Set([first, second, third].map((one) => one!.headers['webhook-id'])).size).toBe(1)
  expect(await stage.metric('waybill_retry_scheduled_total')).toBeGreaterThan(0)
})

test('a Retry-After beyond retryAfterMax is cut to it', async () => {
  await subscribe('cut', { retry: { schedule: ['100ms'], maxAttempts: 2, retryAfterMax: '1s' } })
  answer('cut', () => ({ status: receivedBy('cut').length === 1 ? 503 : 200, headers: { 'retry-after': '86400' } }))
  await publish('cut', 'patient')
  await eventually(() => receivedBy('cut').length === 2)
  const [first, second] = receivedBy('cut')
  expect(second!.at - first!.at).toBeGreaterThanOrEqual(1_000)
})

test('a message whose next attempt would come after maxAge is given up at once', async () => {
  await subscribe('old', { retry: { schedule: ['100ms', '1h'], maxAttempts: 5, maxAge: '1s' } })
  answer('old', () => 500)
  await publish('old', 'aged')
  const [letter] = await eventually(async () => {
    const letters = await deadLetters('old')
    return letters.length > 0 && letters
  })
  expect(letter!.properties.headers).toMatchObject({ 'waybill-reason': 'Expired', 'waybill-attempts': 2 })
})

test('an answer of 410 suspends the subscription and keeps the message, and any change resumes it', async () => {
  await subscribe('gone', { concurrency: 1, retry: quick })
  answer('gone', () => 410)
  await publish('gone', 'first', 'second')
  await stage.condition(subscription, 'gone', 'Suspended', 'True', 'Gone')
  await stage.condition(subscription, 'gone', 'Ready', 'False', 'Gone')
  expect(receivedBy('gone').map(idOf)).toEqual(['first'])
  const waiting = await producer.channel.checkQueue('waybill.sub.shop.gone')
  expect(waiting).toMatchObject({ messageCount: 2, consumerCount: 0 })
  answer('gone', () => 200)
  const changed = { delivery: { concurrency: 1, retry: quick }, subscriber: { url: `${subscriber.url}gone` } }
  stage.folder.write('gone', [
    topicOf('gone'),
    subscriptionOf('gone', 'gone', '', { ...changed, filter: { routingKeys: ['#', 'more'] } }),
  ])
  await eventually(() => receivedBy('gone').length === 3)
  // RabbitMQ 3 puts what comes back from a cancelled consumer behind the others.
  expect(receivedBy('gone').map(idOf).toSorted()).toEqual(['first', 'first', 'second'])
  await stage.condition(subscription, 'gone', 'Ready', 'True')
  await stage.noCondition(subscription, 'gone', 'Suspended')
})

test('an answer of 410 suspends a subscription whose latest edit did not concern delivery', async () => {
  await subscribe('gone-later', { retry: quick })
  const spec = { delivery: { retry: quick }, subscriber: { url: `${subscriber.url}gone-later` } }
  const edit = (keys: string[]) =>
    stage.folder.write('gone-later', [
      topicOf('gone-later'),
      subscriptionOf('gone-later', 'gone-later', '', { ...spec, filter: { routingKeys: keys } }),
    ])
  edit(['#', 'a'])
  await eventually(() => stage.get(subscription, 'gone-later')?.status?.observedGeneration === 2)
  answer('gone-later', () => 410)
  await publish('gone-later', 'one')
  await stage.condition(subscription, 'gone-later', 'Suspended', 'True', 'Gone')
  answer('gone-later', () => 200)
  edit(['#', 'b'])
  await eventually(() => receivedBy('gone-later').length === 2)
  await stage.noCondition(subscription, 'gone-later', 'Suspended')
})

test('a failing subscription reports it, and reports when it works again', async () => {
  await subscribe('failing', { timeout: '200ms', retry: { schedule: ['100ms'], maxAttempts: 100 } })
  answer('failing', () => 'hang')
  await publish('failing', 'one')
  const { message } = await stage.condition(subscription, 'failing', 'Delivering', 'False', 'AllAttemptsFailing')
  expect(message).toContain('No answer within 200ms')
  await stage.condition(subscription, 'failing', 'Ready', 'False', 'NotDelivering')
  answer('failing', () => 200)
  await stage.condition(subscription, 'failing', 'Ready', 'True')
})
