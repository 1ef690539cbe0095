import fc from 'fast-check'
import type { Message } from '../../src/delivery/message/message.ts'

/** Any text that a header may decode to, with what hurts more often than chance would have it. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\r\n', 'a\r\nb: c', '\uFFFD', '\ud800', '"%"', 'ünï', '1.0', 'application/json', 'text/plain'),
)

/** Whatever a field table of AMQP 0-9-1 decodes to. */
const anyValue = fc.oneof(
  { weight: 4, arbitrary: anyText },
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.record({ '!': fc.constantFrom('timestamp', 'decimal', 'x'), value: fc.anything() }),
  fc.array(fc.anything()),
  fc.object(),
)

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
const own = fc.constantFrom('attempts', 'first-attempt', 'not-before', 'exchange', 'routing-key', 'status')

const anyName = fc.oneof(
  anyText,
  fc
    .tuple(fc.constantFrom('cloudEvents:', 'cloudEvents_', 'ce-', 'ce_'), attribute)
    .map(([prefix, name]) => prefix + name),
  own.map((name) => `waybill-${name}`),
  fc.constantFrom('traceparent', 'tracestate', 'x-death', 'x-first-death-queue', 'CC', 'x-tenant'),
)

const complete = fc.constantFrom({}, { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/', 'ce-type': 't' })

const anyHeaders = fc.tuple(complete, fc.array(fc.tuple(anyName, anyValue), { maxLength: 8 })).map(([whole, more]) => ({
  ...whole,
  ...Object.fromEntries(more),
}))

const anyBody = fc.oneof(
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
  fc.json().map((data) => Buffer.from(`{"specversion":"1.0","id":"1","source":"/","type":"t","data":${data}}`)),
)

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

/** Any message that a broker may hand out. */
export const anyMessage: fc.Arbitrary<Message> = fc.record({
  content: anyBody,
  fields: fc.record({
    exchange: fc.oneof(fc.constantFrom('', 'waybill.return', 'shop.orders'), anyText),
    routingKey: anyText,
    redelivered: fc.boolean(),
  }),
  properties: fc.record({
    headers: optional(anyHeaders),
    contentType: optional(fc.oneof(anyText, fc.constant('application/cloudevents+json'))),
    contentEncoding: optional(fc.oneof(anyText, fc.constantFrom('gzip', 'utf-8'))),
    messageId: optional(anyText),
    correlationId: optional(anyText),
    type: optional(anyText),
    expiration: optional(anyText),
    userId: optional(anyText),
    timestamp: optional(fc.nat()),
    priority: optional(fc.nat(255)),
    deliveryMode: optional(fc.constantFrom(1, 2)),
  }),
})
