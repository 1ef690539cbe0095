import { subscription } from '../../src/api/kinds/subscription.ts'
import type { Kind } from '../../src/api/resource.ts'

export const pushed = { topicRef: { name: 'orders' }, subscriber: { url: 'https://mail.example/hook?a=b' } }
export const delivery = (more: object) => ({ ...pushed, delivery: more })
const subscriber = (more: object) => ({ ...pushed, subscriber: { ...pushed.subscriber, ...more } })
const served = (more: object) => ({ ...pushed, subscriber: { serviceRef: { name: 'mail' }, ...more } })
const filter = (filter: object) => ({ ...pushed, filter })
const notUrl = (url: string, message: string): [Kind, unknown, string] => [
  subscription,
  subscriber({ url }),
  `spec.subscriber.url: ${message}, found "${url.replace(/\/\/.*@/, '//***@')}"`,
]
const anUrl = 'must be a URL such as http://host:8080/path'
const aUser = 'must not contain a user or a password: they would be shown to everybody who can read this resource'

/** What is wrong, the kind, a specification, and the one problem that Waybill finds in it. */
export const badSubscriptions: readonly [string, Kind, unknown, string][] = [
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
    'spec.subscriber.path: needs serviceRef; with url, write it into the url, found "/a"',
  ],
  ['another scheme', ...notUrl('ftp://mail.example/', 'must be an http:// or https:// URL')],
  ['a fragment', ...notUrl('http://h/#a', 'must not contain a fragment (#…): it is never sent')],
  ['a password', ...notUrl('http://ann:hunter2@h/', aUser)],
  ['a URL with more than one fault', ...notUrl('http://user@', aUser)],
  ['a URL without a host', ...notUrl('http:///a', anUrl)],
  ['a URL with a port that is none', ...notUrl('http://h:65536/', anUrl)],
  ['a URL with a space', ...notUrl('http://h/a b', anUrl)],
  ['a URL whose host has a character outside ASCII', ...notUrl('http://é/', anUrl)],
  ['no URL', ...notUrl('', 'must be an http:// or https:// URL')],
  [
    'a path with a fragment',
    subscription,
    served({ path: '/a#b' }),
    'spec.subscriber.path: must start with /, without spaces and #, found "/a#b"',
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
    'spec.subscriber.headers: must not name a header twice: names are not case-sensitive',
  ],
  [
    'a line break in a header',
    subscription,
    subscriber({ headers: { a: 'x\r\ny: z' } }),
    'spec.subscriber.headers.a: must contain only spaces and visible ASCII characters, found "x\\r\\ny: z"',
  ],
  [
    'a header outside ASCII',
    subscription,
    subscriber({ headers: { a: 'ü' } }),
    'spec.subscriber.headers.a: must contain only spaces and visible ASCII characters, found "ü"',
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
    'spec.filter.headers: must not name headers that start with x-: RabbitMQ ignores them',
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
    'spec.filter.headers: excludes routingKeys: a topic with exchange type Headers ignores them',
  ],
  [
    'a filter of a queue',
    subscription,
    { subscriber: pushed.subscriber, queueRef: { name: 'q' }, filter: { routingKeys: ['a'] } },
    'spec.filter: needs topicRef: a queue has no filter',
  ],
  [
    'a routing key twice',
    subscription,
    filter({ routingKeys: ['a', 'b', 'a'] }),
    'spec.filter.routingKeys: must not contain "a" twice',
  ],
  [
    'a routing key of too many bytes',
    subscription,
    filter({ routingKeys: ['ä'.repeat(128)] }),
    `spec.filter.routingKeys[0]: must have at most 255 bytes in UTF-8, the most that AMQP can carry, found "${'ä'.repeat(76)}…`,
  ],
  [
    'a routing key that is null',
    subscription,
    filter({ routingKeys: [null] }),
    'spec.filter.routingKeys[0]: must be of type string, found null',
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
    'spec.delivery.timeout: must be a duration such as 30s or 5m, from 1ms to 25m: RabbitMQ requeues a message after 30m (consumer_timeout), found "5 parsecs"',
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
]
