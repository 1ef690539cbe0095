import fc from 'fast-check'
import { recorded, recordLine } from '../../../src/delivery/letters/record.ts'
import { type Redaction, readLetters, redacted, redactionOf } from '../../../src/delivery/letters/redact.ts'
import { shown } from '../../../src/delivery/letters/shown.ts'
import type { Message } from '../../../src/delivery/message/message.ts'
import { Properties } from '../../../src/delivery/message/properties.ts'
import { rawBytes, rawHeader } from '../../support/raw-message.ts'
import { anyMessage } from '../any-message.ts'
import { eventHeaders, messageOf } from '../samples.ts'

const subscription = 'shop/billing'
const canary = 'canary-7f31'

const redaction = (redact: object): Redaction => {
  const found = redactionOf({ spec: { redact } } as never)
  if (found === undefined) throw new Error('This redacts nothing')
  return found
}

/** All that anybody may get of a message, as one text; what is in base64 is decoded too. */
const outputs = (message: Message, asked: Redaction): string => {
  const visible = readLetters(subscription, asked)(message)
  const line = recordLine(visible.letter, visible.message, subscription, visible.isRedacted)
  const text = JSON.stringify(shown(visible.letter, visible.message, visible.isRedacted)) + line
  const decoded = [...text.matchAll(/"([A-Za-z0-9+/]{8,}={0,2})"/g)].map(([, each]) =>
    Buffer.from(each ?? '', 'base64'),
  )
  return [text, visible.message.content.toString('latin1'), ...decoded.map((each) => each.toString('latin1'))].join(
    '\n',
  )
}

const secret = rawHeader('X-Customer-Email', 'S', rawBytes(canary))
const nestings: readonly (readonly [string, Buffer])[] = [
  ['at the top', secret],
  ['in a table', rawHeader('table', 'F', rawBytes(secret))],
  ['in an array of tables', rawHeader('list', 'A', rawBytes('F', rawBytes(secret)))],
  ['as bytes', rawHeader('x-customer-email', 'x', rawBytes(canary))],
  ['as a table', rawHeader('x-customer-name', 'F', rawBytes(rawHeader('first', 'S', rawBytes(canary))))],
  ['twice', Buffer.concat([secret, secret])],
  ['in the properties of another', rawHeader('waybill-broken-properties', 'x', rawBytes(secret))],
  ['deep', Array.from({ length: 40 }).reduce<Buffer>((inner) => rawHeader('t', 'F', rawBytes(inner)), secret)],
]

test.each(nestings)('a header that is redacted is in no output: %s', (_where, header) => {
  fc.assert(
    fc.property(anyMessage, ({ content, fields }) => {
      const properties = new Properties(Buffer.concat([Buffer.of(0x20, 0), rawBytes(rawHeader('a', 't', [1]), header)]))
      const message = { content, fields, properties }
      const asked = redaction({ headers: ['x-customer-*'] })
      expect(outputs(message, asked)).not.toContain(canary)
      expect(redacted(message, asked).properties.headers?.get('a')).toBe(true)
    }),
    { numRuns: 20 },
  )
})

test('a table that cannot be read to its end is withheld whole', () => {
  const table = rawBytes(secret, Buffer.of(1, 0x61, 0x3f))
  const message = { ...messageOf(), properties: new Properties(Buffer.concat([Buffer.of(0x20, 0), table])) }
  expect(outputs(message, redaction({ headers: ['x-customer-email'] }))).not.toContain(canary)
})

test('any message can be redacted: nothing throws, and what it is known by stays the same', () => {
  const asked = redaction({ headers: ['x-*', 'waybill-error'], jsonPointers: ['/a', '/*/b'] })
  fc.assert(
    fc.property(anyMessage, (message) => {
      const [whole, visible] = [
        readLetters(subscription, undefined)(message),
        readLetters(subscription, asked)(message),
      ]
      const { id, group, size } = whole.letter
      expect(visible.letter).toMatchObject({ id, group, size })
      expect(visible.isRedacted || visible.message === message).toBe(true)
    }),
    { numRuns: 500 },
  )
})

const json = (value: unknown): string => JSON.stringify(value)
const event = { specversion: '1.0', id: 'a-1', source: '/shop', type: 'order.placed' }
const deep = `${'['.repeat(200_000)}"${canary}"${']'.repeat(200_000)}`

test.each([
  [
    'a member',
    ['/customer/email'],
    json({ customer: { email: canary, id: 7 } }),
    json({ customer: { email: '[redacted]', id: 7 } }),
  ],
  ['whatever it is', ['/customer'], json({ customer: [canary] }), json({ customer: '[redacted]' })],
  ['every element', ['/lines/*/email'], json({ lines: [{ email: canary }, { email: canary }] }), undefined],
  ['every member', ['/*/email'], json({ a: { email: canary }, b: { email: canary } }), undefined],
  ['an element by its place', ['/1'], json(['a', canary]), json(['a', '[redacted]'])],
  ['a name with signs', ['/a~1b/c~0d'], json({ 'a/b': { 'c~d': canary } }), undefined],
  ['a name that objects have anyway', ['/__proto__/email'], `{"__proto__":{"email":"${canary}"}}`, undefined],
  ['of a name given twice', ['/email'], `{"email":"${canary}","email":"${canary}"}`, '{"email":"[redacted]"}'],
  ['data of an event in structured mode', ['/email'], json({ ...event, data: { email: canary } }), undefined],
  ['bytes of an event in structured mode', ['/email'], json({ ...event, data_base64: canary }), undefined],
  ['a body that is not JSON', ['/email'], `{email: '${canary}'}`, '[redacted]'],
  ['a body that is too large', ['/email'], json({ other: canary, x: 'x'.repeat(1024 * 1024) }), '[redacted]'],
  ['a body that is nested too deep', ['/0'], deep, undefined],
  ['a body of another encoding', ['/email'], Buffer.from(json({ email: canary }), 'utf16le'), '[redacted]'],
])('a JSON pointer: %s', (_what, jsonPointers, body, expected) => {
  const message = messageOf({ contentType: 'application/json' }, body)
  const asked = redaction({ jsonPointers })
  expect(outputs(message, asked).replaceAll('\0', '')).not.toContain(canary)
  if (expected !== undefined) expect(redacted(message, asked).content.toString()).toBe(expected)
})

test('a letter without anything to withhold is whole, and can be imported', () => {
  const message = messageOf({ headers: eventHeaders('cloudEvents:') }, json({ order: 42 }))
  const {
    letter,
    message: same,
    isRedacted,
  } = readLetters(subscription, redaction({ headers: ['x-customer'], jsonPointers: ['/customer'] }))(message)
  expect([same, isRedacted]).toEqual([message, false])
  expect(recorded(recordLine(letter, same, subscription, isRedacted))).toHaveProperty('body')
})

test('without bodies the letter still says what event it is, and its line cannot be imported', () => {
  const message = messageOf({ contentType: 'application/cloudevents+json' }, json({ ...event, data: canary }))
  const asked = redaction({ bodies: true })
  const { letter, message: found } = readLetters(subscription, asked)(message)
  expect([letter.eventType, letter.size]).toEqual(['order.placed', message.content.length])
  expect(outputs(message, asked)).not.toContain(canary)
  expect(recorded(recordLine(letter, found, subscription, true))).toEqual({
    problem: 'is redacted: import a copy that has everything in it',
  })
})
