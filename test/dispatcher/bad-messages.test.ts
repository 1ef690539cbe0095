import type { GetMessage, Options } from 'amqplib'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

let stage: Stage
let producer: Producer
let subscriber: Subscriber

beforeAll(async () => {
  stage = await startStage()
  subscriber = await startSubscriber()
  producer = await connectProducer(stage.vhost.amqpUrl)
  const spec = (contentMode: string) => ({
    subscriber: { url: subscriber.url + contentMode, contentMode },
    delivery: { retry: { schedule: ['100ms'], maxAttempts: 2 } },
  })
  stage.folder.write('all', [
    ...brokerOf(stage.vhost),
    ...[topicOf('binary'), subscriptionOf('binary', 'binary', '', spec('Binary'))],
    ...[topicOf('structured'), subscriptionOf('structured', 'structured', '', spec('Structured'))],
  ])
  for (const name of ['binary', 'structured']) await stage.condition(subscription, name, 'Ready', 'True')
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

const nested = (depth: number): object => (depth === 0 ? { end: true } : { in: nested(depth - 1) })
const event = (attributes: object = {}) => ({
  'ce-specversion': '1.0',
  'ce-id': '1',
  'ce-source': '/s',
  'ce-type': 't',
  ...attributes,
})

type Case = { readonly what: string; readonly body?: Buffer | string; readonly options?: Options.Publish }

const fine: Case[] = [
  { what: 'no bytes at all', body: '' },
  { what: '10 MiB', body: Buffer.alloc(10 * 1024 * 1024, 'waybill ') },
  { what: 'bytes that are not text', body: Buffer.from([0xff, 0xfe, 0, 1]) },
  { what: 'invalid JSON', body: '{"a":', options: { contentType: 'application/json' } },
  {
    what: 'a header table of nearly 64 KiB, with no room for one more',
    options: { headers: { large: 'x'.repeat(65_200) } },
  },
  { what: 'headers nested 100 deep', options: { headers: nested(100) } },
  { what: 'a line break in an attribute', options: { headers: event({ 'ce-subject': 'a\r\nX-Evil: 1' }) } },
  { what: 'a line break in the message id', options: { messageId: 'a\r\nX-Evil: 1' } },
  { what: 'a line break in the routing key', options: {} },
  { what: 'a line break in the content type', options: { contentType: 'text/plain\r\nX-Evil: 1' } },
  { what: 'a header that is not UTF-8', options: { headers: { odd: Buffer.from([0xff, 0xfe]) } } },
  {
    what: 'forged traces of the broker',
    options: {
      headers: {
        'x-death': [{ count: 99, reason: 'expired', queue: 'waybill.delay.5s', exchange: '', 'routing-keys': ['x'] }],
        'x-first-death-queue': 'waybill.delay.5s',
        'x-delivery-count': 19,
        CC: ['elsewhere'],
      },
    },
  },
  {
    what: 'forged traces of Waybill',
    options: {
      headers: {
        'waybill-attempts': 99,
        'waybill-not-before': '2999-01-01T00:00:00Z',
        'waybill-first-attempt': '1999-01-01T00:00:00Z',
        'waybill-exchange': 7,
      },
    },
  },
  { what: 'an expiration', options: { expiration: '60000' } },
]

const broken: (Case & { readonly says: string })[] = [
  { what: 'an event without a type', options: { headers: event({ 'ce-type': '' }) }, says: 'type is missing or empty' },
  {
    what: 'an event of another version',
    options: { headers: event({ 'ce-specversion': '0.3' }) },
    says: 'specversion must be 1.0',
  },
  {
    what: 'an attribute that is a list',
    options: { headers: event({ 'ce-list': [1] }) },
    says: 'list must be a string',
  },
  {
    what: 'a structured event that is not JSON',
    body: '{"specversion":',
    options: { contentType: 'application/cloudevents+json' },
    says: 'JSON',
  },
  {
    what: 'a structured event without an id',
    body: '{"specversion":"1.0","source":"/s","type":"t"}',
    options: { contentType: 'application/cloudevents+json' },
    says: 'id is missing or empty',
  },
  {
    what: 'a structured event nested 100,000 deep',
    body: `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":${'['.repeat(100_000)}`,
    options: { contentType: 'application/cloudevents+json' },
    says: 'JSON',
  },
]

const publish = async (topic: string, { what, body = 'body', options = {} }: Case) => {
  const sent = Buffer.from(body)
  const routingKey = what.includes('routing key') ? 'a\r\nX-Evil: 1' : 'order.placed'
  await producer.publish(`shop.${topic}`, [{ routingKey, body: sent, options: { messageId: what, ...options } }])
  return sent
}
const letterOf = (topic: string): Promise<GetMessage> =>
  eventually(async () => (await producer.look(`waybill.dlq.shop.${topic}`))[0])
/** Puts the looked-at letters away, so that the next look finds the next one. */
const drain = (topic: string) => producer.channel.purgeQueue(`waybill.dlq.shop.${topic}`)

describe.each(['binary', 'structured'])('in mode %s', (topic) => {
  beforeEach(() => {
    subscriber.received.length = 0
    subscriber.answer(204)
  })

  test.each(fine)(`a message with $what is delivered to a ${topic} subscriber`, async (one) => {
    const sent = await publish(topic, one)
    const [received] = await eventually(() => subscriber.received.length === 1 && subscriber.received)
    expect(received!.headers).not.toHaveProperty('x-evil')
    expect(received!.headers['waybill-attempt']).toBe('1')
    if (topic === 'binary') expect(received!.body.equals(sent)).toBe(true)
    else expect(JSON.parse(received!.body.toString())).toMatchObject({ specversion: '1.0' })
  })

  test.each(fine)(
    `a message with $what that a ${topic} subscriber rejects is retried, and dead-lettered with the same bytes`,
    async (one) => {
      subscriber.answer(503)
      const sent = await publish(topic, one)
      const letter = await letterOf(topic)
      expect(letter.content.equals(sent)).toBe(true)
      expect(letter.properties).toMatchObject({ expiration: undefined, deliveryMode: 2 })
      expect(letter.properties.headers).toMatchObject({
        ...{ 'waybill-reason': 'Exhausted', 'waybill-attempts': 2, 'waybill-exchange': `shop.${topic}` },
      })
      expect(
        Object.keys(letter.properties.headers ?? {}).filter((name) => /^(x-death|x-first-death|CC)/.test(name)),
      ).toEqual([])
      expect(subscriber.received.map(({ headers }) => headers['waybill-attempt'])).toEqual(['1', '2'])
      expect(new Set(subscriber.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
      producer.channel.nackAll(false)
      await drain(topic)
    },
  )

  test.each(broken)(
    `a message with $what for a ${topic} subscriber is dead-lettered with the reason`,
    async ({ says, ...one }) => {
      const sent = await publish(topic, one)
      const letter = await letterOf(topic)
      expect(letter.content.equals(sent)).toBe(true)
      expect(letter.properties.headers).toMatchObject({ 'waybill-reason': 'Unparsable', 'waybill-attempts': 0 })
      expect(letter.properties.headers?.['waybill-error']).toContain(says)
      expect(subscriber.received).toEqual([])
      producer.channel.nackAll(false)
      await drain(topic)
    },
  )
})

test('invalid messages do not stop valid ones', async () => {
  subscriber.received.length = 0
  subscriber.answer(204)
  for (const one of broken) await publish('binary', one)
  await publish('binary', { what: 'a good one' })
  const [received] = await eventually(() => subscriber.received.length === 1 && subscriber.received)
  expect(received!.headers['ce-id']).toBe('a%20good%20one')
  await stage.condition(subscription, 'binary', 'Ready', 'True')
})
