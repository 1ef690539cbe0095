import * as fc from 'fast-check'
import { broker } from '../../src/api/broker.ts'
import { deadLetterPolicy } from '../../src/api/dead-letter-policy.ts'
import { kindNamed, kinds } from '../../src/api/kinds.ts'
import { problemText } from '../../src/api/problem.ts'
import { queue } from '../../src/api/queue.ts'
import type { Kind } from '../../src/api/resource.ts'
import { subscription } from '../../src/api/subscription.ts'
import { topic } from '../../src/api/topic.ts'
import { validate } from '../../src/api/validate.ts'

const check = (kind: Kind, spec: unknown, old?: unknown) =>
  validate(kind, { apiVersion: 'waybill.dev/v1alpha1', kind: kind.kind, spec }, old)
const problems = (kind: Kind, spec: unknown, old?: unknown): string[] => {
  const validated = check(kind, spec, old)
  return 'problems' in validated ? validated.problems.map(problemText) : []
}
const defaulted = (kind: Kind, spec: unknown) => {
  const validated = check(kind, spec)
  if ('problems' in validated) throw new Error(validated.problems.map(problemText).join('; '))
  return validated.spec
}

const pushed = { topicRef: { name: 'orders' }, subscriber: { url: 'https://mail.example/hook?a=b' } }
const subscriber = (more: object) => ({ ...pushed, subscriber: { ...pushed.subscriber, ...more } })
const delivery = (more: object) => ({ ...pushed, delivery: more })
const ref = { brokerRef: { name: 'main' } }

test('the defaults of a Subscription are those of the reference', () => {
  expect(defaulted(subscription, pushed)).toEqual({
    ...pushed,
    subscriber: { ...pushed.subscriber, contentMode: 'Binary' },
    filter: { routingKeys: ['#'] },
    delivery: {
      timeout: '30s',
      concurrency: 10,
      retry: {
        maxAttempts: 8,
        schedule: ['5s', '30s', '2m', '10m', '30m', '1h', '3h'],
        maxAge: '24h',
        retryAfterMax: '1h',
        retryOn: ['401', '403', '404', '407', '408', '409', '425', '429', '3xx', '5xx'],
        deadLetterOn: ['400', '405', '413', '415', '422'],
      },
      onGone: 'Suspend',
    },
    suspend: false,
    deletionPolicy: 'RetainIfNotEmpty',
  })
})

test('what was handed in is not changed', () => {
  const spec = structuredClone(pushed)
  defaulted(subscription, spec)
  expect(spec).toEqual(pushed)
})

test.each<[string, Kind, unknown, string]>([
  ['neither source', subscription, { subscriber: pushed.subscriber }, 'spec: set exactly one of topicRef and queueRef'],
  [
    'neither url nor service',
    subscription,
    { ...pushed, subscriber: {} },
    'spec.subscriber: set exactly one of url and serviceRef',
  ],
  [
    'url and path',
    subscription,
    subscriber({ path: '/a' }),
    'spec.subscriber: path goes with serviceRef; with url, write it into the url',
  ],
  [
    'another scheme',
    subscription,
    subscriber({ url: 'ftp://mail.example/' }),
    'spec.subscriber.url: must be an http:// or https:// URL, found "ftp://mail.example/"',
  ],
  [
    'a fragment',
    subscription,
    subscriber({ url: 'http://h/#a' }),
    'spec.subscriber.url: must not hold a fragment (#…): it is never sent, found "http://h/#a"',
  ],
  [
    'a header of ours',
    subscription,
    subscriber({ headers: { 'Webhook-Id': 'x' } }),
    'spec.subscriber.headers: must not set headers that Waybill or HTTP itself sets (host, content-…, connection, ce-…, webhook-…, waybill-…)',
  ],
  [
    'a line break in a header',
    subscription,
    subscriber({ headers: { a: 'x\r\ny: z' } }),
    'spec.subscriber.headers.a: must match ^[\\x20-\\x7e]*$, found "x\\r\\ny: z"',
  ],
  [
    'a header name with a colon',
    subscription,
    subscriber({ headers: { 'a:': 'x' } }),
    'spec.subscriber.headers: header names are letters, digits and hyphens',
  ],
  [
    'a filter by a header that RabbitMQ leaves out of the comparison',
    subscription,
    { ...pushed, filter: { headers: { 'x-tenant': 'a' } } },
    'spec.filter.headers: must not name headers that start with x-: RabbitMQ takes no notice of them',
  ],
  [
    'a routing key twice',
    subscription,
    { ...pushed, filter: { routingKeys: ['a', 'b', 'a'] } },
    'spec.filter.routingKeys: must NOT have duplicate items (items ## 2 and 0 are identical), found ["a","b","a"]',
  ],
  [
    'a URL with more than one fault',
    subscription,
    subscriber({ url: 'http://user@' }),
    'spec.subscriber.url: must not hold a user or a password: they would be shown to everybody who can read this resource, found "http://***@"',
  ],
  [
    'an age that RabbitMQ 3 cannot count',
    deadLetterPolicy,
    { retention: { maxAge: '1194h' } },
    'spec.retention.maxAge: must be from 1s to 1193h (49 days), the most that RabbitMQ 3 can count, found "1194h"',
  ],
  [
    'no attempts',
    subscription,
    delivery({ retry: { maxAttempts: 0 } }),
    'spec.delivery.retry.maxAttempts: must be >= 1, found 0',
  ],
  [
    'half an attempt',
    subscription,
    delivery({ retry: { maxAttempts: 1.5 } }),
    'spec.delivery.retry.maxAttempts: must be of type integer, found 1.5',
  ],
  [
    'an empty schedule',
    subscription,
    delivery({ retry: { schedule: [] } }),
    'spec.delivery.retry.schedule: must NOT have fewer than 1 items, found []',
  ],
  [
    'a delay too short',
    subscription,
    delivery({ retry: { schedule: ['1ms'] } }),
    'spec.delivery.retry.schedule[0]: must be from 100ms to 168h, found "1ms"',
  ],
  [
    'a status code that is none',
    subscription,
    delivery({ retry: { retryOn: ['6xx'] } }),
    'spec.delivery.retry.retryOn[0]: must be a status code such as 429, or a class such as 5xx, found "6xx"',
  ],
  [
    'a name that AMQP reserves',
    topic,
    { ...ref, exchange: { name: 'amq.topic' } },
    'spec.exchange.name: must not start with amq., which AMQP reserves for the broker, found "amq.topic"',
  ],
  [
    'a delivery limit on a classic queue',
    queue,
    { ...ref, type: 'Classic', deliveryLimit: 3 },
    'spec: deliveryLimit needs type: Quorum, the only type that counts deliveries',
  ],
  [
    'a resync all the time',
    broker,
    { connection: { secretRef: { name: 's' } }, resyncInterval: '5ms' },
    'spec.resyncInterval: must be from 1s to 24h, found "5ms"',
  ],
  [
    'a namespace for a Secret',
    broker,
    { connection: { secretRef: { name: 's', namespace: 'n' } } },
    'spec.connection.secretRef.namespace: is not a field of this kind: see its reference',
  ],
  ['no spec', topic, undefined, 'spec.brokerRef: is required'],
  ['a list for a spec', topic, [], 'spec: must be of type object, found []'],
])('%s is refused with one problem', (_what, kind, spec, expected) => {
  expect(problems(kind, spec)).toEqual([expected])
})

test.each<[string, Kind, unknown, unknown, string]>([
  [
    'the source of a subscription',
    subscription,
    { ...pushed, topicRef: { name: 'bills' } },
    pushed,
    'spec.topicRef: topicRef cannot be changed',
  ],
  [
    'the kind of source',
    subscription,
    { queueRef: { name: 'q' }, subscriber: pushed.subscriber },
    pushed,
    'spec: topicRef cannot be exchanged for queueRef',
  ],
  ['the broker of a topic', topic, { brokerRef: { name: 'b' } }, ref, 'spec.brokerRef: brokerRef cannot be changed'],
  ['the exchange', topic, { ...ref, exchange: { type: 'Fanout' } }, ref, 'spec.exchange: exchange cannot be changed'],
  [
    'the virtual host',
    broker,
    { connection: { secretRef: { name: 's' } }, vhost: 'b' },
    { connection: { secretRef: { name: 's' } } },
    'spec.vhost: vhost cannot be changed',
  ],
  ['the name of a queue', queue, { ...ref, name: 'b' }, { ...ref, name: 'a' }, 'spec.name: name cannot be changed'],
  ['the name of a queue, taken away', queue, ref, { ...ref, name: 'a' }, 'spec: name cannot be changed'],
  ['the type of a queue', queue, { ...ref, type: 'Classic' }, ref, 'spec.type: type cannot be changed'],
])('%s is immutable', (_what, kind, spec, old, expected) => {
  const [found, ...more] = problems(kind, spec, defaulted(kind, old))
  expect([found?.slice(0, expected.length), more]).toEqual([expected, []])
})

test('a change of anything else is taken', () => {
  expect(problems(subscription, delivery({ concurrency: 1 }), defaulted(subscription, pushed))).toEqual([])
})

test('validation never throws, whatever it is given, and takes what it gave', () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.jsonValue(), (kind, spec) => {
      const validated = check(kind, spec)
      if ('problems' in validated) expect(validated.problems.length).toBeGreaterThan(0)
      else expect(defaulted(kind, validated.spec)).toEqual(validated.spec)
    }),
  )
})

test.each([
  ['hunter2', { password: 1, url: 'http://ann:hunter2@h/' }],
  ['hunter2', 'amqps://ann:hunter2@h'],
  ['hunter2', 'http://ann:p/hunter2@h'],
])('a problem does not show %s of %j', (secret, value) => {
  expect(problemText({ field: 'spec.x', value, message: 'is wrong' })).not.toContain(secret)
})

test('a long value is cut', () => {
  expect(problemText({ field: 'spec.x', value: 'x'.repeat(1000), message: 'is wrong' }).length).toBeLessThan(120)
})

test.each(
  kinds.flatMap((kind) => [kind.kind, kind.plural, kind.singular, kind.shortName].map((name) => [name, kind] as const)),
)('kubectl knows %s', (name, kind) => expect(kindNamed(name)).toBe(kind))
