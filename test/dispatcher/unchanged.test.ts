import { subscription } from '../../src/api/kinds/subscription.ts'
import { Properties } from '../../src/delivery/message/properties.ts'
import { type AmqpRecorder, amqpRecorder } from '../support/amqp-recorder.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { publishRaw, rawBytes, rawHeader } from '../support/raw-message.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

let stage: Stage
let recorder: AmqpRecorder
/** Not our client, and its frames are recorded. */
let reader: Producer
let subscriber: Subscriber

beforeAll(async () => {
  stage = await startStage()
  subscriber = await startSubscriber()
  recorder = await amqpRecorder(stage.vhost.endpoint.amqp)
  const through = new URL(stage.vhost.amqpUrl)
  through.hostname = '127.0.0.1'
  through.port = String(recorder.port)
  reader = await connectProducer(through.href)
  const spec = { subscriber: { url: subscriber.url }, delivery: { retry: { schedule: ['100ms'], maxAttempts: 2 } } }
  stage.folder.write('all', [...brokerOf(stage.vhost), topicOf('raw'), subscriptionOf('raw', 'raw', '', spec)])
  await stage.condition(subscription, 'raw', 'Ready', 'True')
})
afterAll(async () => {
  await reader.close()
  await recorder.close()
  await stage.close()
  await subscriber.close()
})

const int64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
const double = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}

/** Every type that RabbitMQ has, with values that clients like to change. */
const headers: Record<string, Buffer> = {
  ...{ 'a large int64': rawHeader('big', 'l', int64(9_007_199_254_740_993n)) },
  ...{ 'the largest int64': rawHeader('max', 'l', int64(2n ** 63n - 1n)) },
  ...{ 'a small int64': rawHeader('small', 'l', int64(12n)), 'an int32': rawHeader('int', 'I', [0, 0, 0, 12]) },
  ...{ 'an int16': rawHeader('int16', 's', [0, 12]), 'an int8': rawHeader('int8', 'b', [0xff]) },
  ...{ 'a uint8': rawHeader('uint8', 'B', [200]), 'a uint16': rawHeader('uint16', 'u', [0, 12]) },
  ...{ 'a uint32': rawHeader('uint32', 'i', [255, 255, 255, 255]), 'a double': rawHeader('double', 'd', double(5)) },
  ...{ 'a float': rawHeader('float', 'f', [0x3d, 0xcc, 0xcc, 0xcd]), 'a boolean': rawHeader('yes', 't', [1]) },
  ...{ 'a decimal': rawHeader('decimal', 'D', [2, 0, 0, 1, 58]), 'a time': rawHeader('time', 'T', int64(1n)) },
  ...{ nothing: rawHeader('void', 'V'), 'a byte array': rawHeader('bytes', 'x', rawBytes(Buffer.from([0, 255]))) },
  'a long string that is not UTF-8': rawHeader('odd', 'S', rawBytes(Buffer.from('005374c161fffe', 'hex'))),
  'a name that is not ASCII': rawHeader('größe', 'S', rawBytes('ü')),
  'a table called __proto__': rawHeader('__proto__', 'F', rawBytes(rawHeader('ce-id', 'S', rawBytes('1')))),
  'an array in an array': rawHeader('list', 'A', rawBytes('A', rawBytes('l', int64(12n), 'B', Buffer.of(7)))),
  'a table in a table': rawHeader(
    'deep',
    'F',
    rawBytes(rawHeader('in', 'F', rawBytes(rawHeader('d', 'd', double(5))))),
  ),
}

/** The bytes of each header in a table, in order. */
const entriesOf = (raw: Buffer): Buffer[] => {
  const { headers: table } = new Properties(raw)
  return [...(table?.places() ?? [])].map(({ at, end }) => table!.raw.subarray(at, end))
}

/** The properties of the only dead letter, as they came over the wire. */
const deadLetter = async (): Promise<Buffer> => {
  recorder.properties.length = 0
  const [letter] = await eventually(async () => {
    const letters = await reader.look('waybill.dlq.shop.raw')
    return letters.length > 0 && letters
  })
  reader.channel.ack(letter!)
  return recorder.properties.at(-1) as Buffer
}

test('a message that was retried and dead-lettered has every header and property that it was published with, bit for bit', async () => {
  subscriber.answer(503)
  const short = (...bytes: number[]): Buffer => Buffer.from([bytes.length, ...bytes])
  const all = Object.values(headers)
  const [contentType, correlation, messageId] = [short(0x61, 0x2f, 0x62), short(1, 0), short(0x6d, 0x31)]
  const before = Buffer.concat([Buffer.from([0xb4, 0x80]), contentType, rawBytes(...all), Buffer.of(1), correlation])
  const published = Buffer.concat([before, messageId])
  const body = Buffer.from([0, 255, 1])
  await publishRaw(stage.vhost.amqpUrl, 'shop.raw', 'a.b', [{ properties: published, body }])
  const raw = await deadLetter()
  expect(subscriber.received.map(({ headers }) => headers['waybill-attempt'])).toEqual(['1', '2'])
  const entries = entriesOf(raw)
  const found = Object.fromEntries(
    Object.entries(headers).map(([what, bytes]) => [what, entries.some((entry) => entry.equals(bytes))]),
  )
  expect(found).toEqual(Object.fromEntries(Object.keys(headers).map((what) => [what, true])))
  const others = entries.filter((entry) => !all.some((each) => each.equals(entry)))
  // RabbitMQ 3 counts the read of this test.
  const names = others.map((entry) => entry.toString('latin1', 1, 9)).filter((name) => name !== 'x-delive')
  expect(new Set(names)).toEqual(new Set(['waybill-']))
  const { messageId: id, correlationId, contentType: type } = new Properties(raw)
  expect([id, correlationId, type]).toEqual(['m1', '\x01\x00', 'a/b'])
})

test('a message whose headers leave no room in a frame is dead-lettered without them, and says how many', async () => {
  subscriber.answer(400)
  const table = rawBytes(
    rawHeader('large', 'S', rawBytes('x'.repeat(130_900))),
    rawHeader('ce_note', 'S', rawBytes('y')),
  )
  const properties = Buffer.concat([Buffer.from([0x20, 0]), table])
  await publishRaw(stage.vhost.amqpUrl, 'shop.raw', 'a.b', [{ properties, body: Buffer.from('x') }])
  const letter = new Properties(await deadLetter())
  expect(letter.headers?.get('waybill-headers-dropped')).toBe(1)
  expect(letter.headers?.text('waybill-reason')).toBe('Rejected')
  expect(letter.headers?.text('ce_note')).toBe('y')
})

test('a subscriber gets an integer of 64 bits exactly', async () => {
  subscriber.answer(204)
  subscriber.received.length = 0
  const text = (name: string, value: string): Buffer => rawHeader(`ce-${name}`, 'S', rawBytes(value))
  const event = [text('specversion', '1.0'), text('id', '1'), text('source', '/s'), text('type', 't')]
  const table = rawBytes(...event, rawHeader('ce-big', 'l', int64(9_007_199_254_740_993n)))
  const properties = Buffer.concat([Buffer.from([0x20, 0]), table])
  await publishRaw(stage.vhost.amqpUrl, 'shop.raw', 'a.b', [{ properties, body: Buffer.from('x') }])
  const [received] = await eventually(() => subscriber.received.length === 1 && subscriber.received)
  expect(received!.headers['ce-big']).toBe('9007199254740993')
})
