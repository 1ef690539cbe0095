import fc from 'fast-check'
import { toRequest } from '../../src/delivery/attempt/request.ts'
import { toEvent } from '../../src/delivery/event/event.ts'
import { historyOf } from '../../src/delivery/message/history.ts'
import type { Message } from '../../src/delivery/message/message.ts'
import { Properties } from '../../src/delivery/message/properties.ts'
import { anyMessage, entryOf, listed, tableOf, textEntry } from './any-message.ts'
import {
  eventHeaders,
  eventOf,
  headersOf,
  messageOf,
  reasonOf,
  requestOf,
  returnExchange,
  targetFor,
  whence,
} from './samples.ts'

const structured = (document: unknown, contentType = 'application/cloudevents+json') =>
  messageOf({ contentType }, typeof document === 'string' ? document : JSON.stringify(document))
const complete = { specversion: '1.0', id: 'a-1', source: '/shop', type: 'order.placed' }

describe('a binary CloudEvent', () => {
  test.each(['cloudEvents:', 'cloudEvents_', 'ce-', 'ce_'])(
    'a binary CloudEvent is recognised by the prefix %s',
    (prefix) => {
      const event = eventOf(messageOf({ headers: eventHeaders(prefix, { subject: '42' }), contentType: 'text/plain' }))
      expect(event).toMatchObject({ mode: 'binary', id: 'a-1', source: '/shop', contentType: 'text/plain' })
      expect(event.attributes).toEqual(Object.entries({ ...complete, subject: '42' }).flat())
    },
  )

  test('the body of a binary CloudEvent is not copied', () => {
    const message = messageOf({ headers: eventHeaders('ce-') })
    expect(eventOf(message).body).toBe(message.content)
  })

  test('headers under another prefix are not attributes of a CloudEvent', () => {
    const headers = { ...eventHeaders('cloudEvents:'), 'ce-id': 'other', 'ce-Strange Name': {} }
    expect(eventOf(messageOf({ headers })).id).toBe('a-1')
  })

  test.each([
    ['a number', 7, 7],
    ['a boolean', false, false],
    ['a time', { '!': 'timestamp', value: 1_700_000_000 }, '2023-11-14T22:13:20.000Z'],
    ['bytes', Buffer.from([1, 2, 255]), 'AQL/'],
    ['a large integer', { '!': 'long', value: 9_007_199_254_740_993n }, '9007199254740993'],
    ['a large negative integer', { '!': 'long', value: -(2n ** 63n) }, '-9223372036854775808'],
    ['a replacement character', 'a\uFFFD', 'a\uFFFD'],
  ])('an attribute of a CloudEvent that is %s becomes text', (_, value, expected) => {
    const { attributes } = eventOf(messageOf({ headers: eventHeaders('ce-', { extension: value }) }))
    expect(attributes.slice(-2)).toEqual(['extension', expected])
  })

  test('an empty header is not an attribute of a CloudEvent', () => {
    const { attributes } = eventOf(messageOf({ headers: eventHeaders('ce-', { subject: null }) }))
    expect(attributes).not.toContain('subject')
  })

  test.each(['cloudEvents:id', 'cloudEvents_source'])(
    'a message with a header %s claims to be a CloudEvent, and says what is missing',
    (name) => {
      expect(reasonOf(messageOf({ headers: { [name]: '1' } }))).toMatch(/attribute specversion is missing/)
    },
  )

  test('a header __proto__ is a name like any other, and what is in it are no attributes', () => {
    const hidden = Object.fromEntries([['__proto__', eventHeaders('ce-')]])
    const event = eventOf(messageOf({ headers: hidden, messageId: 'm-1' }))
    expect(event.id).toBe('m-1')
    expect(event.headers?.get('__proto__')).toMatchObject({ is: 'table' })
  })

  test.each(['2026-01-31T12:00:00Z', '2024-02-29t23:59:60.123456789z', '2026-12-31T00:00:00+14:00'])(
    'the time of a CloudEvent may be %s',
    (time) => {
      expect(eventOf(messageOf({ headers: eventHeaders('ce-', { time }) })).attributes).toContain(time)
      expect(eventOf(structured({ ...complete, time })).attributes).toContain(time)
    },
  )

  test.each([
    'now',
    '2026-13-01',
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-02-29T12:00:00Z',
    '2026-01-31T24:00:00Z',
    '',
  ])('a message with the time %j is not a CloudEvent', (time) => {
    const expected = /attribute time must be a time of RFC 3339 with its zone/
    expect(reasonOf(messageOf({ headers: eventHeaders('ce-', { time }) }))).toMatch(expected)
    expect(reasonOf(structured({ ...complete, time }))).toMatch(expected)
  })

  test('an attribute that is not UTF-8, or is there twice, makes no CloudEvent', () => {
    const entries = Object.entries(eventHeaders('ce-')).map(([name, value]) => textEntry(name, String(value)))
    const of = (last: Buffer): Message => {
      const properties = new Properties(listed([undefined, undefined, tableOf([...entries, last])]))
      return { ...messageOf(), properties }
    }
    expect(eventOf(of(textEntry('ce-more', 'x'))).attributes).toContain('more')
    const bad = entryOf(Buffer.from('ce-more'), Buffer.from([0x53, 0, 0, 0, 2, 0x61, 0xff]))
    expect(reasonOf(of(bad))).toMatch(/attribute more must be a string in UTF-8/)
    expect(reasonOf(of(textEntry('ce-id', 'x')))).toMatch(/attribute id is there more than once/)
  })

  const broken: { name: string; attributes: Record<string, unknown>; expected: RegExp }[] = [
    { name: 'no id', attributes: { id: undefined }, expected: /attribute id is missing/ },
    { name: 'an empty source', attributes: { source: '' }, expected: /attribute source is missing/ },
    { name: 'a type of null', attributes: { type: null }, expected: /attribute type is missing/ },
    { name: 'specversion 0.3', attributes: { specversion: '0.3' }, expected: /specversion must be 1\.0, found "0\.3"/ },
    { name: 'a table as attribute', attributes: { where: { x: 1 } }, expected: /attribute where must be a string/ },
    {
      name: 'a NaN attribute',
      attributes: { count: { '!': 'double', value: Number.NaN } },
      expected: /attribute count must be a string/,
    },
    { name: 'a name with a capital', attributes: { orderId: '1' }, expected: /attribute "orderId" has a name/ },
    { name: 'a name with a line break', attributes: { 'a\r\nb': '1' }, expected: /attribute "a\\r\\nb" has a name/ },
    { name: 'data as a name', attributes: { data: '1' }, expected: /attribute "data" has a name/ },
    { name: 'no name', attributes: { '': '1' }, expected: /attribute "" has a name/ },
  ]
  test.each(broken)('a message with $name is not a binary CloudEvent', ({ attributes, expected }) => {
    expect(reasonOf(messageOf({ headers: eventHeaders('ce-', attributes) }))).toMatch(expected)
  })

  test('a message whose content type is not a media type is not a CloudEvent', () => {
    const message = messageOf({ headers: eventHeaders('ce-'), contentType: 'text/plain\r\nx: y' })
    expect(reasonOf(message)).toMatch(/datacontenttype must be a media type/)
  })
})

describe('a structured CloudEvent', () => {
  test.each([
    'application/cloudevents+json',
    'application/cloudevents+json; charset=utf-8',
    'Application/CloudEvents+JSON;charset="UTF-8"',
  ])('a structured CloudEvent is recognised by the content type %s', (contentType) => {
    const event = eventOf(structured({ ...complete, data: { a: 1 } }, contentType))
    expect(event).toMatchObject({ mode: 'structured', id: 'a-1', source: '/shop' })
  })

  test('a structured CloudEvent may be in another character set', () => {
    const document = Buffer.from(JSON.stringify({ ...complete, subject: 'Zürich' }), 'utf16le')
    const message = messageOf({ contentType: 'application/cloudevents+json; charset=utf-16le' }, document)
    expect(headersOf(requestOf(message))['ce-subject']).toBe('Z%C3%BCrich')
  })

  const broken: { name: string; document: unknown; contentType?: string; expected: RegExp }[] = [
    { name: 'a batch', document: [], contentType: 'application/cloudevents-batch+json', expected: /A batch/ },
    {
      name: 'XML',
      document: '',
      contentType: 'application/cloudevents+xml',
      expected: /only supported CloudEvents format is application\/cloudevents\+json/,
    },
    { name: 'invalid JSON', document: '{"id": secret', expected: /^The CloudEvents document is not a JSON object$/ },
    { name: 'an array', document: [complete], expected: /not a JSON object/ },
    { name: 'no content', document: '', expected: /not a JSON object/ },
    { name: 'no type', document: { ...complete, type: undefined }, expected: /attribute type is missing/ },
    { name: 'a number as id', document: { ...complete, id: 1 }, expected: /attribute id is missing/ },
    { name: 'no specversion', document: { ...complete, specversion: undefined }, expected: /specversion is missing/ },
    { name: 'an attribute of objects', document: { ...complete, where: {} }, expected: /attribute where must be/ },
    {
      name: 'an invalid attribute name',
      document: { ...complete, Where: 'x' },
      expected: /attribute "Where" has a name/,
    },
    {
      name: '__proto__',
      document: '{"__proto__":"x","specversion":"1.0","id":"1","source":"/","type":"t"}',
      expected: /"__proto__" has/,
    },
    { name: 'both kinds of data', document: { ...complete, data: 1, data_base64: 'AA==' }, expected: /both data/ },
    { name: 'bad Base64', document: { ...complete, data_base64: '§' }, expected: /not Base64/ },
    {
      name: 'an unknown character set',
      document: complete,
      contentType: 'application/cloudevents+json; charset=x',
      expected: /character set/,
    },
  ]
  test.each(broken)('a document with $name is not a structured CloudEvent', ({ document, contentType, expected }) => {
    expect(reasonOf(structured(document, contentType))).toMatch(expected)
  })

  test('a document that is not UTF-8 is not a CloudEvent', () => {
    const message = messageOf({ contentType: 'application/cloudevents+json' }, Buffer.from([0x7b, 0xff, 0x7d]))
    expect(reasonOf(message)).toMatch(/not valid text in its character set/)
  })

  test('a compressed document is not a CloudEvent', () => {
    const message = messageOf({ contentType: 'application/cloudevents+json', contentEncoding: 'gzip' }, 'x')
    expect(reasonOf(message)).toMatch(/must not be compressed, found gzip/)
  })
})

describe('a plain message', () => {
  test('a plain message is wrapped in an event', () => {
    const properties = { messageId: 'm-1', type: 'placed', timestamp: 1_700_000_000, contentType: 'text/plain' }
    expect(eventOf(messageOf({ ...properties, headers: { 'x-tenant': 'a' } }))).toMatchObject({
      id: 'm-1',
      source: '/exchanges/shop.orders',
      attributes: [
        ...['specversion', '1.0', 'id', 'm-1', 'source', '/exchanges/shop.orders', 'type', 'placed'],
        ...['time', '2023-11-14T22:13:20.000Z'],
      ],
      contentType: 'text/plain',
    })
  })

  test.each([
    ['its routing key', 'order.placed', 'order.placed'],
    ['a constant where it has none', '', 'dev.waybill.message'],
  ])('the type of the event of a plain message is %s', (_, routingKey, expected) => {
    const { attributes } = eventOf(messageOf({}, 'x', { routingKey }))
    expect(attributes[attributes.indexOf('type') + 1]).toBe(expected)
  })

  test.each([
    ['an exchange', { exchange: 'shöp/1' }, '/exchanges/sh%C3%B6p%2F1'],
    ['the default exchange', { exchange: '', routingKey: 'jobs' }, '/queues/jobs'],
  ])('the source of the event of a plain message is the address of %s', (_, fields, expected) => {
    expect(eventOf(messageOf({}, 'x', fields)).source).toBe(expected)
  })

  test('a timestamp in milliseconds becomes the time of the event', () => {
    const { attributes } = eventOf(messageOf({ timestamp: 1_700_000_000_123 }))
    expect(attributes).toContain('2023-11-14T22:13:20.123Z')
  })

  test('a timestamp out of range is left out of the event', () => {
    expect(eventOf(messageOf({ timestamp: 2 ** 63 })).attributes).not.toContain('time')
  })

  test('a plain message keeps its id when it comes back from a delay, and when it is put back', () => {
    const first = messageOf({ correlationId: 'c' }, 'body')
    const headers = { 'waybill-exchange': 'shop.orders', 'waybill-routing-key': 'order.placed', 'waybill-attempts': 2 }
    const back = messageOf({ correlationId: 'c', headers }, 'body', { exchange: returnExchange, routingKey: 'q' })
    const putBack = messageOf({ correlationId: 'c', headers }, 'body', { exchange: '', routingKey: 'q' })
    expect(eventOf(back)).toMatchObject({ id: eventOf(first).id, source: eventOf(first).source })
    expect(eventOf(putBack).id).toBe(eventOf(first).id)
  })

  test.each([
    ['the body', {}, 'other', {}],
    ['the correlation id', { correlationId: 'x' }, 'hello', {}],
    ['the timestamp', { timestamp: 1 }, 'hello', {}],
    ['the routing key', {}, 'hello', { routingKey: 'other' }],
  ])('a plain message with a different value of %s gets another id', (_, properties, body, fields) => {
    expect(eventOf(messageOf(properties, body, fields)).id).not.toBe(eventOf(messageOf()).id)
  })

  test.each(['ce_id', 'ce-id', 'ce_type', 'CLOUDEVENTS:id'])('a plain message may have a header %s', (name) => {
    const message = messageOf({ headers: { [name]: 'CUST-7' }, messageId: 'm-1' })
    expect(eventOf(message)).toMatchObject({ id: 'm-1', source: '/exchanges/shop.orders' })
  })

  test('a timestamp that no number can hold counts among what makes the id', () => {
    const idOf = (last: number): string => {
      const properties = new Properties(Buffer.from([0, 0x40, 255, 255, 255, 255, 255, 255, 255, last]))
      return eventOf({ ...messageOf(), properties }).id
    }
    expect(idOf(254)).not.toBe(idOf(255))
  })

  test('a plain message with unknown headers is delivered', () => {
    const headers = {
      'x-\uFFFD': '\uFFFD',
      'ce-nothing': {},
      list: [[]],
      traceparent: Buffer.from('x'),
    }
    const message = messageOf({ headers, contentType: '\uFFFD', messageId: '\uFFFD', type: '\uFFFD' })
    expect(eventOf(message)).toMatchObject({ contentType: undefined })
  })
})

describe('a message from an AMQP 1.0 producer', () => {
  const from = (body: Buffer | string, more = {}): Message => messageOf({ type: 'amqp-1.0', ...more }, body)
  const section = (...bytes: number[]): Buffer => Buffer.from([0, 0x53, ...bytes])
  const long = Buffer.alloc(300, 'x')

  test.each([
    ['a string', section(0x77, 0xa1, 2, 0x68, 0x69), 'hi'],
    ['a long string', Buffer.concat([section(0x77, 0xb1, 0, 0, 1, 44), long]), long.toString()],
    ['bytes', section(0x77, 0xa0, 1, 0x21), '!'],
    ['long bytes', Buffer.concat([section(0x77, 0xb0, 0, 0, 1, 44), long]), long.toString()],
    ['no bytes', section(0x77, 0xa0, 0), ''],
    ['data', Buffer.from('data'), 'data'],
  ])('the body of a message whose value is %s is what was sent, and its type the routing key', (_, body, expected) => {
    const event = eventOf(from(body))
    expect(event.body.toString()).toBe(expected)
    expect(event.attributes[event.attributes.indexOf('type') + 1]).toBe('order.placed')
  })

  test('the body of a CloudEvent is decoded too', () => {
    const document = Buffer.from(JSON.stringify(complete))
    const body = Buffer.concat([section(0x77, 0xa1, document.length), document])
    expect(eventOf(from(body, { contentType: 'application/cloudevents+json' })).id).toBe('a-1')
    expect(eventOf(from(section(0x77, 0xa1, 1, 0x21), { headers: eventHeaders('ce-') })).body.toString()).toBe('!')
  })

  test.each([
    ['a map', section(0x77, 0xd1, 0, 0, 0, 4, 0, 0, 0, 0)],
    ['a number', section(0x77, 0x52, 7)],
    ['null', section(0x77, 0x40)],
    ['a symbol', section(0x77, 0xa3, 1, 0x21)],
    ['a sequence', section(0x76, 0xd0, 0, 0, 0, 4, 0, 0, 0, 0)],
    ['a string and more', section(0x77, 0xa1, 1, 0x21, 0)],
    ['half a string', section(0x77, 0xa1, 9, 0x21)],
    ['half a length', section(0x77, 0xb1, 0, 0)],
    ['nothing', section(0x77)],
  ])('a message whose value is %s has no body', (_, body) => {
    expect(reasonOf(from(body))).toMatch(/^The body is an AMQP 1.0 value or sequence: only data sections/)
    expect(eventOf(messageOf({}, body)).body.equals(body)).toBe(true)
  })
})

describe('a message whose properties cannot be read', () => {
  const { raw } = messageOf({ contentType: 'application/cloudevents+json', headers: { a: 'x' } }).properties
  const withBad = (bytes: Buffer, content: string): Message => ({
    ...messageOf({}, content),
    properties: new Properties(bytes),
  })
  const unknownType = Buffer.from(raw).fill(99, raw.length - 6, raw.length - 5)

  test('a message whose headers cannot be read is not delivered', () => {
    const plain = Buffer.concat([Buffer.of(0x20, 0), unknownType.subarray(2 + 1 + 28)])
    expect(reasonOf(withBad(plain, ''))).toBe('The properties of the message, or its headers, cannot be read')
  })

  test('a structured CloudEvent is delivered, because all of it is in its body', () => {
    const message = withBad(unknownType, JSON.stringify(complete))
    expect(message.properties.isBroken).toBe(true)
    expect(eventOf(message).id).toBe('a-1')
  })
})

test('any message is an event or gets a reason why it is not one', () => {
  fc.assert(
    fc.property(anyMessage, fc.constantFrom('Binary' as const, 'Structured' as const), (message, mode) => {
      const event = toEvent(message, historyOf(message, whence))
      if ('unparsable' in event) return expect(event.unparsable).toMatch(/^[\x20-\x7e…]+$/)
      const { headers } = toRequest(event, targetFor(mode), 1)
      for (const text of headers) expect(text).toMatch(/^[\x20-\x7e]*$/)
    }),
    { numRuns: 2000 },
  )
})
