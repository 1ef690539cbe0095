import type { Options } from 'amqplib'
import { marks, routingKeys, type TopicName } from '../plan.ts'
import { type Random, randomOf, seedFor } from '../random.ts'

/** One message of a storm. */
export type Message = {
  readonly id: string
  readonly topic: TopicName
  readonly routingKey: string
  readonly body: Buffer
  readonly options: Options.Publish
  /** Whether the body of a request in binary mode is the body of the message, byte for byte. */
  readonly keepsBody: boolean
  /** Whether a request can be made of it, where that is known. */
  readonly isSendable?: boolean
  /** Source and type, where it is an event. */
  readonly attributes?: { readonly source: string; readonly type: string }
}

const strange = (random: Random): Record<string, unknown> =>
  random.pick([
    {},
    { tenant: 'a', flag: true, nothing: null, 'an array': [1, 'two', { three: 3 }] },
    { small: { '!': 'byte', value: -1 }, single: { '!': 'float', value: 0.1 }, time: { '!': 'timestamp', value: 1e9 } },
    { big: { '!': 'int64', value: 2 ** 40 }, money: { '!': 'decimal', value: { digits: 1234, places: 2 } } },
    {
      bytes: Buffer.from([0, 255, 10, 13]),
      __proto__x: 'p',
      'with space': 'ü',
      'ce-id': 'forged',
      'x-tenant': '\u0000',
    },
    { nested: { a: { b: { c: { d: [[[[]]]] } } } }, long: 'x'.repeat(5_000) },
    { 'waybill-attempts': 99, 'waybill-not-before': '2999-01-01T00:00:00Z', 'waybill-suspect': 3, 'waybill-plug': 1 },
    { 'x-death': [{ reason: 'expired', queue: 'q', count: 99 }], 'x-delivery-count': 50, 'waybill-exchange': 'evil' },
    { 'x-delay': 60_000, 'x-match': 'any', 'x-first-death-queue': 'q', 'x-opt-deliver-by': 1, '': 'no name' },
    { ['n'.repeat(255)]: 'the longest name', 'ce-specversion': '0.3', 'webhook-id': 'forged', traceparent: '00-zz' },
    { 'cloudEvents:nothing': 1, 'content-length': '5', host: 'evil', 'transfer-encoding': 'chunked' },
  ])

const sizes = [0, 1, 20, 200, 1_000, 20_000, 200_000, 3_000_000]
const largest = 10 * 2 ** 20

/** The same for the same seed and index. */
export const messageAt = (seed: number, index: number): Message => {
  const random = randomOf(seedFor(seed, `message ${index}`))
  const topic = random.pick<TopicName>(['orders', 'orders', 'orders', 'orders', 'news', 'marked'])
  // The topic that routes by headers takes no notice of it.
  const routingKey = topic === 'marked' ? random.pick(marks) : random.pick(routingKeys)
  const message = drawn(random, `m${index}`, routingKey)
  const { options } = message
  return { ...message, topic, options: { ...options, headers: { ...options.headers, mark: routingKey } } }
}

const drawn = (random: Random, id: string, routingKey: string): Omit<Message, 'topic'> => {
  const kind = random.next()
  const size = random.chance(0.001) ? largest : (sizes[Math.floor(random.next() ** 3 * sizes.length)] as number)
  const headers = strange(random)
  const options: Options.Publish = { messageId: id, persistent: random.chance(0.9), mandatory: true, headers }
  if (kind < 0.25) {
    const attributes = { specversion: '1.0', id, source: '/storm', type: routingKey }
    const binary = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`cloudEvents:${name}`, value]))
    const contentType = random.pick(['application/json', 'text/plain', 'application/octet-stream'])
    return {
      ...{
        id,
        routingKey,
        body: bodyOf(contentType === 'application/json' ? 'json' : 'bytes', id, size),
        keepsBody: true,
        ...{ isSendable: true, attributes: { source: '/storm', type: routingKey } },
      },
      options: { ...options, contentType, headers: { ...headers, ...binary } },
    }
  }
  if (kind < 0.4) {
    const event = {
      specversion: '1.0',
      id,
      source: '/storm',
      type: routingKey,
      data: { id, pad: 'x'.repeat(size % 5_000) },
    }
    const contentType = 'application/cloudevents+json; charset=utf-8'
    return {
      id,
      routingKey,
      body: Buffer.from(JSON.stringify(event)),
      options: { ...options, contentType },
      keepsBody: false,
      ...{ isSendable: true, attributes: { source: '/storm', type: routingKey } },
    }
  }
  if (kind < 0.45) {
    const broken = random.pick(['{', '[]', '{"specversion":"1.0"}', `{"specversion":"9","id":"${id}"}`, '\xff'])
    const contentType = 'application/cloudevents+json'
    return {
      id,
      routingKey,
      body: Buffer.from(broken, 'latin1'),
      options: { ...options, contentType },
      keepsBody: false,
      isSendable: false,
    }
  }
  const contentType = random.pick([
    undefined,
    'application/json',
    'text/plain; charset=latin1',
    'Not A Type',
    'x/y\r\nz: 1',
  ])
  const more = random.pick<Options.Publish>([
    {},
    { priority: 9 },
    { replyTo: 'q', correlationId: 'c' },
    { type: 't', appId: 'a' },
  ])
  const gzip = random.chance(0.1) ? { contentEncoding: 'gzip' } : {}
  return {
    ...{ id, routingKey, body: bodyOf('bytes', id, size), keepsBody: true },
    ...(isPlain(headers, contentType) ? { isSendable: true } : {}),
    options: { ...options, ...more, ...gzip, ...(contentType === undefined ? {} : { contentType }) },
  }
}

/** Whether nothing of it looks like an event, or like a media type that is none. */
const isPlain = (headers: object, contentType = ''): boolean =>
  !Object.keys(headers).some((name) => /^(ce[-_]|cloudEvents)/.test(name)) && /^(|[a-z]+\/[a-z-]+.*)$/.test(contentType)

const bodyOf = (kind: 'json' | 'bytes', id: string, size: number): Buffer => {
  if (kind === 'json') return Buffer.from(JSON.stringify({ id, pad: 'x'.repeat(size) }))
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at++) bytes[at] = (at * 31 + id.length) & 255
  return bytes
}
