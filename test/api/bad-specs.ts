import { broker } from '../../src/api/broker.ts'
import { deadLetterPolicy } from '../../src/api/dead-letter-policy.ts'
import { queue } from '../../src/api/queue.ts'
import type { Kind } from '../../src/api/resource.ts'
import { subscription } from '../../src/api/subscription.ts'
import { topic } from '../../src/api/topic.ts'

/** Specifications that both Waybill and the API server refuse. */

export const pushed = { topicRef: { name: 'orders' }, subscriber: { url: 'https://mail.example/hook?a=b' } }
const subscriber = (more: object) => ({ ...pushed, subscriber: { ...pushed.subscriber, ...more } })
const served = (more: object) => ({ ...pushed, subscriber: { serviceRef: { name: 'mail' }, ...more } })
const filter = (filter: object) => ({ ...pushed, filter })
export const delivery = (more: object) => ({ ...pushed, delivery: more })
const ref = { brokerRef: { name: 'main' } }
const secret = { connection: { secretRef: { name: 's' } } }
const notUrl = (url: string, message: string): [Kind, unknown, string] => [
  subscription,
  subscriber({ url }),
  `spec.subscriber.url: ${message}, found "${url.replace(/\/\/.*@/, '//***@')}"`,
]
const anUrl = 'must be a URL such as http://host:8080/path'
const aUser = 'must not hold a user or a password: they would be shown to everybody who can read this resource'
const tooManyBytes = 'must have at most 255 bytes in UTF-8, the most that AMQP can carry'
const aName = 'must be lower-case letters, digits, - and ., and start and end with a letter or digit'

/** What is wrong, the kind, a specification, and the one problem that Waybill finds in it. */
export const badSpecs: readonly [string, Kind, unknown, string][] = [
  ['neither source', subscription, { subscriber: pushed.subscriber }, 'spec: set exactly one of topicRef and queueRef'],
  [
    'both sources',
    subscription,
    { ...pushed, queueRef: { name: 'q' } },
    'spec: set exactly one of topicRef and queueRef',
  ],
  [
    'neither url nor service',
    subscription,
    { ...pushed, subscriber: {} },
    'spec.subscriber: set exactly one of url and serviceRef',
  ],
  [
    'url and service',
    subscription,
    subscriber({ serviceRef: { name: 'mail' } }),
    'spec.subscriber: set exactly one of url and serviceRef',
  ],
  [
    'url and path',
    subscription,
    subscriber({ path: '/a' }),
    'spec.subscriber.path: goes with serviceRef; with url, write it into the url, found "/a"',
  ],
  ['another scheme', ...notUrl('ftp://mail.example/', 'must be an http:// or https:// URL')],
  ['a fragment', ...notUrl('http://h/#a', 'must not hold a fragment (#…): it is never sent')],
  ['a password', ...notUrl('http://ann:hunter2@h/', aUser)],
  ['a URL with more than one fault', ...notUrl('http://user@', aUser)],
  ['a URL without a host', ...notUrl('http:///a', anUrl)],
  ['a URL with a port that is none', ...notUrl('http://h:65536/', anUrl)],
  ['a URL with a space', ...notUrl('http://h/a b', anUrl)],
  ['a URL with characters outside ASCII', ...notUrl('http://h/é', anUrl)],
  ['a URL with a no-break space', ...notUrl('http://h/\u00a0', anUrl)],
  ['no URL', ...notUrl('', 'must be an http:// or https:// URL')],
  [
    'a path with a fragment',
    subscription,
    served({ path: '/a#b' }),
    'spec.subscriber.path: must start with /, without spaces, # and characters outside ASCII (write those as %C3%A9), found "/a#b"',
  ],
  [
    'a Service of another namespace',
    subscription,
    served({ serviceRef: { name: 'mail.shop' } }),
    'spec.subscriber.serviceRef.name: must be lower-case letters, digits and -, and start and end with a letter or digit, found "mail.shop"',
  ],
  [
    'trust without https',
    subscription,
    subscriber({ url: 'http://h/', tls: {} }),
    'spec.subscriber.tls: needs https: a url that starts with https://, or a serviceRef with scheme Https',
  ],
  [
    'trust for a Service without https',
    subscription,
    served({ tls: {} }),
    'spec.subscriber.tls: needs https: a url that starts with https://, or a serviceRef with scheme Https',
  ],
  [
    'a header of ours',
    subscription,
    subscriber({ headers: { 'Webhook-Id': 'x' } }),
    'spec.subscriber.headers: must not set headers that Waybill or HTTP itself sets (host, content-…, connection, ce-…, webhook-…, waybill-…)',
  ],
  [
    'a header twice',
    subscription,
    subscriber({ headers: { 'x-a': '1', 'X-A': '2' } }),
    'spec.subscriber.headers: must not name a header twice: capital and small letters are the same',
  ],
  [
    'a line break in a header',
    subscription,
    subscriber({ headers: { a: 'x\r\ny: z' } }),
    'spec.subscriber.headers.a: must hold only spaces and visible ASCII characters, found "x\\r\\ny: z"',
  ],
  [
    'a header outside ASCII',
    subscription,
    subscriber({ headers: { a: 'ü' } }),
    'spec.subscriber.headers.a: must hold only spaces and visible ASCII characters, found "ü"',
  ],
  [
    'a header name with a colon',
    subscription,
    subscriber({ headers: { 'a:': 'x' } }),
    'spec.subscriber.headers: must have names of letters, digits and hyphens, at most 128',
  ],
  [
    'a filter by a header that RabbitMQ leaves out of the comparison',
    subscription,
    filter({ headers: { 'x-tenant': 'a' } }),
    'spec.filter.headers: must not name headers that start with x-: RabbitMQ takes no notice of them',
  ],
  [
    'a filter by a header that AMQP cannot carry',
    subscription,
    filter({ headers: { ['ä'.repeat(128)]: 'a' } }),
    'spec.filter.headers: must have names of at most 255 bytes in UTF-8, the most that AMQP can carry',
  ],
  [
    'a filter by headers and keys',
    subscription,
    filter({ routingKeys: ['a'], headers: { a: 'b' } }),
    'spec.filter.headers: excludes routingKeys: a topic with exchange type Headers takes no notice of them',
  ],
  [
    'a filter of a queue',
    subscription,
    { subscriber: pushed.subscriber, queueRef: { name: 'q' }, filter: { routingKeys: ['a'] } },
    'spec.filter: goes with topicRef: a queue has no filter',
  ],
  [
    'a routing key twice',
    subscription,
    filter({ routingKeys: ['a', 'b', 'a'] }),
    'spec.filter.routingKeys: must not hold "a" twice',
  ],
  [
    'a routing key of too many bytes',
    subscription,
    filter({ routingKeys: ['ä'.repeat(128)] }),
    `spec.filter.routingKeys[0]: ${tooManyBytes}, found "${'ä'.repeat(76)}…`,
  ],
  [
    'a routing key that is null',
    subscription,
    filter({ routingKeys: [null] }),
    'spec.filter.routingKeys[0]: must be of type string, found null',
  ],
  [
    'an age that RabbitMQ 3 cannot count',
    deadLetterPolicy,
    { retention: { maxAge: '1194h' } },
    'spec.retention.maxAge: must be a duration such as 30s or 5m, from 1s to 1193h (49 days), the most that RabbitMQ 3 can count, found "1194h"',
  ],
  [
    'more dead letters than there can be',
    deadLetterPolicy,
    { retention: { maxLength: 1e20 } },
    'spec.retention.maxLength: must be <= 1000000000000, found 100000000000000000000',
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
    'spec.delivery.retry.schedule[0]: must be a duration such as 30s or 5m, from 100ms to 168h, found "1ms"',
  ],
  [
    'a duration in words',
    subscription,
    delivery({ timeout: '5 parsecs' }),
    'spec.delivery.timeout: must be a duration such as 30s or 5m, from 1ms to 25m: RabbitMQ takes a message back after 30m (consumer_timeout), found "5 parsecs"',
  ],
  [
    'a duration as a number',
    subscription,
    delivery({ timeout: 30 }),
    'spec.delivery.timeout: must be of type string, found 30',
  ],
  [
    'a duration without a unit',
    subscription,
    delivery({ retry: { maxAge: '30' } }),
    'spec.delivery.retry.maxAge: must be a duration such as 30s or 5m, found "30"',
  ],
  [
    'a status code that is none',
    subscription,
    delivery({ retry: { retryOn: ['6xx'] } }),
    'spec.delivery.retry.retryOn[0]: must be a status code from 300 on, such as 429, or a class such as 5xx, found "6xx"',
  ],
  [
    'an attempt again after a success',
    subscription,
    delivery({ retry: { retryOn: ['5xx', '200'] } }),
    'spec.delivery.retry.retryOn[1]: must be a status code from 300 on, such as 429, or a class such as 5xx, found "200"',
  ],
  [
    'a name that AMQP reserves',
    topic,
    { ...ref, exchange: { name: 'amq.topic' } },
    'spec.exchange.name: must not start with amq., which AMQP reserves for the broker, found "amq.topic"',
  ],
  [
    'a name of too many bytes',
    topic,
    { ...ref, exchange: { name: 'ä'.repeat(128) } },
    `spec.exchange.name: ${tooManyBytes}, found "${'ä'.repeat(76)}…`,
  ],
  [
    'a name with a line break',
    queue,
    { ...ref, name: 'a\nb' },
    'spec.name: must not hold control characters, found "a\\nb"',
  ],
  [
    'a reference that Kubernetes cannot have',
    queue,
    { brokerRef: { name: 'My_Broker' } },
    `spec.brokerRef.name: ${aName}, found "My_Broker"`,
  ],
  [
    'a type that is no longer there',
    queue,
    { ...ref, type: 'Mirrored' },
    'spec.type: must be one of Quorum, Classic, found "Mirrored"',
  ],
  [
    'a delivery limit on a classic queue',
    queue,
    { ...ref, type: 'Classic', deliveryLimit: 3 },
    'spec.deliveryLimit: needs type: Quorum, the only type that counts deliveries, found 3',
  ],
  [
    'a resync all the time',
    broker,
    { ...secret, resyncInterval: '5ms' },
    'spec.resyncInterval: must be a duration such as 30s or 5m, from 1s to 24h, found "5ms"',
  ],
  [
    'a virtual host of too many bytes',
    broker,
    { ...secret, vhost: 'ä'.repeat(128) },
    `spec.vhost: ${tooManyBytes}, found "${'ä'.repeat(76)}…`,
  ],
  [
    'a namespace for a Secret',
    broker,
    { connection: { secretRef: { name: 's', namespace: 'n' } } },
    'spec.connection.secretRef.namespace: is not a field of this kind: see its reference',
  ],
  ['a reference that is null', topic, { brokerRef: null }, 'spec.brokerRef: is required'],
  ['no spec', topic, undefined, 'spec.brokerRef: is required'],
  ['a list for a spec', topic, [], 'spec: must be of type object, found []'],
]

const fixed = 'cannot be changed: create another resource instead'

/** What is changed, the kind, the new and the old specification, and the one problem. */
export const badChanges: readonly [string, Kind, object, object, string][] = [
  [
    'the topic of a subscription',
    subscription,
    { ...pushed, topicRef: { name: 'bills' } },
    pushed,
    `spec.topicRef: ${fixed}`,
  ],
  [
    'the queue of a subscription',
    subscription,
    { ...pushed, topicRef: null, queueRef: { name: 'b' } },
    { ...pushed, topicRef: null, queueRef: { name: 'a' } },
    `spec.queueRef: ${fixed}`,
  ],
  [
    'the kind of source',
    subscription,
    { queueRef: { name: 'q' }, subscriber: pushed.subscriber },
    pushed,
    `spec.topicRef: ${fixed}`,
  ],
  ['the broker of a topic', topic, { brokerRef: { name: 'b' } }, ref, `spec.brokerRef: ${fixed}`],
  ['the broker of a queue', queue, { brokerRef: { name: 'b' } }, ref, `spec.brokerRef: ${fixed}`],
  ['the exchange', topic, { ...ref, exchange: { type: 'Fanout' } }, ref, `spec.exchange: ${fixed}`],
  ['the virtual host', broker, { ...secret, vhost: 'b' }, secret, `spec.vhost: ${fixed}, found "b"`],
  ['the name of a queue', queue, { ...ref, name: 'b' }, { ...ref, name: 'a' }, `spec.name: ${fixed}, found "b"`],
  ['the name of a queue, taken away', queue, ref, { ...ref, name: 'a' }, `spec.name: ${fixed}`],
  ['the name of a queue, added', queue, { ...ref, name: 'a' }, ref, `spec.name: ${fixed}, found "a"`],
  ['the type of a queue', queue, { ...ref, type: 'Classic' }, ref, `spec.type: ${fixed}, found "Classic"`],
]

/** Names that become too long on the broker. */
export const badNames: readonly [Kind, unknown][] = [
  [topic, ref],
  [queue, ref],
  [subscription, pushed],
]
