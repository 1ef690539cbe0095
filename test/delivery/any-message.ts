import fc from 'fast-check'
import type { Message } from '../../src/delivery/message/message.ts'
import { Properties } from '../../src/delivery/message/properties.ts'

/** Any text that a header may hold, with what hurts more often than chance would have it. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\r\n', 'a\r\nb: c', '\uFFFD', '\ud800', '"%"', 'ünï', '1.0', 'application/json', 'text/plain'),
)
const textBytes = anyText.map((text) => Buffer.from(text))
const anyBytes = (maxLength = 20) => fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes))
const bytesOf = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes))

/** Bytes with their length before them. */
const withLength = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
const typed =
  (letter: string) =>
  (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from(letter), bytes])

const ofSize = (letters: string, size: number) =>
  fc.tuple(fc.constantFrom(...letters), bytesOf(size)).map(([letter, bytes]) => typed(letter)(bytes))

const { value: anyValue, table: anyTable } = fc.letrec<{ value: Buffer; table: Buffer; entry: Buffer }>((tie) => ({
  entry: fc.tuple(anyBytes(8), tie('value')).map(([name, value]) => entryOf(name, value)),
  table: fc.array(tie('entry'), { maxLength: 3 }).map((entries) => Buffer.concat(entries)),
  value: fc.oneof(
    { maxDepth: 3 },
    textBytes.map((bytes) => typed('S')(withLength(bytes))),
    fc.oneof(textBytes, anyBytes()).map((bytes) => typed('x')(withLength(bytes))),
    anyBytes().map((bytes) => typed('S')(withLength(bytes))),
    fc.oneof(ofSize('tbB', 1), ofSize('su', 2), ofSize('Iif', 4), ofSize('D', 5), ofSize('ldT', 8)),
    fc.constant(Buffer.from('V')),
    tie('table').map((bytes) => typed('F')(withLength(bytes))),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => typed('A')(withLength(Buffer.concat(values)))),
  ),
}))

/** A header as it lies in a table. */
export const entryOf = (name: Buffer, value: Buffer): Buffer => Buffer.concat([Buffer.of(name.length), name, value])

export const textEntry = (name: string, value: string): Buffer =>
  entryOf(Buffer.from(name), typed('S')(withLength(Buffer.from(value))))

const attribute = fc.constantFrom(
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'data',
  'X',
)
const own = fc.constantFrom('attempts', 'first-attempt', 'not-before', 'exchange', 'expires', 'priority', 'status')
const brokers = ['x-death', 'x-first-death-queue', 'x-last-death-reason', 'x-delivery-count', 'CC', 'BCC']

const anyName = fc.oneof(
  anyText.map((text) => Buffer.from(text).subarray(0, 255)),
  anyBytes(),
  bytesOf(255),
  fc
    .oneof(
      fc
        .tuple(fc.constantFrom('cloudEvents:', 'cloudEvents_', 'ce-', 'ce_'), attribute)
        .map(([prefix, name]) => prefix + name),
      own.map((name) => `waybill-${name}`),
      fc.constantFrom('__proto__', 'constructor', 'traceparent', 'tracestate', 'x-tenant', 'x-deaths', ...brokers),
    )
    .map((name) => Buffer.from(name)),
)

const complete = fc.constantFrom(
  [],
  Object.entries({ specversion: '1.0', id: '1', source: '/', type: 't' }).map(([name, value]) =>
    textEntry(`ce-${name}`, value),
  ),
)

/** Headers as they lie in a table, one each. */
export const anyEntries: fc.Arbitrary<Buffer[]> = fc
  .tuple(
    complete,
    fc.array(
      fc.tuple(anyName, anyValue).map(([name, value]) => entryOf(name, value)),
      { maxLength: 8 },
    ),
  )
  .map(([whole, more]) => [...whole, ...more])

const short = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(Math.min(bytes.length, 255)), bytes.subarray(0, 255)])
const anyShort = fc.oneof(textBytes, anyBytes()).map(short)
const shortOf = (...texts: string[]) =>
  fc.oneof(anyShort, fc.constantFrom(...texts.map((one) => short(Buffer.from(one)))))
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

/** The properties in the order of the list, each as its bytes. */
export type Listed = readonly (Buffer | undefined)[]

/** The property flags and the property list. */
export const listed = (properties: Listed): Buffer => {
  const flags = Buffer.alloc(2)
  flags.writeUInt16BE(properties.reduce((sum, bytes, index) => sum + (bytes === undefined ? 0 : 0x8000 >> index), 0))
  return Buffer.concat([flags, ...properties.filter((bytes) => bytes !== undefined)])
}

export const tableOf = (entries: readonly Buffer[]): Buffer => withLength(Buffer.concat([...entries]))

/** Whole properties whose header table has these headers. */
export const propertiesWith = (entries: readonly Buffer[]): fc.Arbitrary<Listed> =>
  fc.tuple(
    optional(shortOf('application/cloudevents+json', 'application/json')),
    optional(shortOf('gzip', 'utf-8')),
    entries.length === 0 ? optional(fc.constant(tableOf(entries))) : fc.constant(tableOf(entries)),
    optional(fc.constantFrom(Buffer.of(1), Buffer.of(2))),
    optional(bytesOf(1)),
    ...[optional(anyShort), optional(anyShort), optional(shortOf('1000', '0', '-1')), optional(anyShort)],
    optional(bytesOf(8)),
    ...[optional(shortOf('amqp-1.0')), optional(anyShort), optional(anyShort), optional(anyShort)],
  )

/** Any bytes that may stand where properties should: whole ones, ones cut off, ones with a byte changed. */
const anyProperties = anyEntries
  .chain(propertiesWith)
  .map(listed)
  .chain((raw) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(raw) },
      fc.nat(raw.length).map((length) => raw.subarray(0, length)),
      fc.tuple(fc.nat(raw.length - 1), fc.nat(255)).map(([at, byte]) => Buffer.from(raw).fill(byte, at, at + 1)),
      anyBytes(60),
    ),
  )

const anyBody = fc.oneof(
  anyBytes(60),
  anyTable,
  fc.json().map((text) => Buffer.from(text)),
  fc.json().map((data) => Buffer.from(`{"specversion":"1.0","id":"1","source":"/","type":"t","data":${data}}`)),
  fc
    .tuple(fc.constantFrom(0x76, 0x77), fc.constantFrom(0xa0, 0xa1, 0xb0, 0xb1, 0xd1), anyBytes())
    .map(([section, type, rest]) => Buffer.concat([Buffer.of(0, 0x53, section, type), rest])),
)

/** Any message that a broker may hand out, and more. */
export const anyMessage: fc.Arbitrary<Message> = fc.record({
  content: anyBody,
  fields: fc.record({
    exchange: fc.oneof(fc.constantFrom('', 'waybill.return', 'shop.orders'), anyText),
    routingKey: anyText,
    redelivered: fc.boolean(),
  }),
  properties: anyProperties.map((raw) => new Properties(raw)),
})
