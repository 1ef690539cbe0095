import { Payload } from '../../src/rabbit/amqp/client/arguments.ts'
import { Assembly, type Content } from '../../src/rabbit/amqp/client/content.ts'
import { Cursor } from '../../src/rabbit/amqp/client/cursor.ts'
import { UnencodableError, Violation } from '../../src/rabbit/amqp/client/ended.ts'
import { FrameReader } from '../../src/rabbit/amqp/client/frame-reader.ts'

type Read = { what: 'method' | 'header' | 'body'; channel: number; bytes: string }

const frameOf = (type: number, channel: number, payload: Buffer | string, end = 0xce): Buffer => {
  const bytes = Buffer.from(payload)
  const head = Buffer.alloc(7)
  head[0] = type
  head.writeUInt16BE(channel, 1)
  head.writeUInt32BE(bytes.length, 3)
  return Buffer.concat([head, bytes, Buffer.of(end)])
}

/** What a reader makes of chunks; pieces of one body are joined. */
const readAll = (chunks: readonly Buffer[]): Read[] => {
  const read: Read[] = []
  const add = (what: Read['what']) => (channel: number, bytes: Buffer, start: number, end: number) => {
    const text = bytes.toString('latin1', start, end)
    const last = read.at(-1)
    if (what === 'body' && last?.what === 'body' && last.channel === channel) last.bytes += text
    else read.push({ what, channel, bytes: text })
  }
  const reader = new FrameReader({ method: add('method'), header: add('header'), body: add('body') })
  for (const chunk of chunks) {
    reader.read(chunk)
    // The socket reads into the same bytes again.
    chunk.fill(0)
  }
  return read
}

const frames = [
  frameOf(1, 7, 'a method'),
  frameOf(8, 0, ''),
  frameOf(2, 7, 'a header'),
  frameOf(3, 7, 'a body'),
  frameOf(1, 65_535, ''),
  frameOf(3, 8, Buffer.alloc(1_000, 'x')),
]
const expected: Read[] = [
  { what: 'method', channel: 7, bytes: 'a method' },
  { what: 'header', channel: 7, bytes: 'a header' },
  { what: 'body', channel: 7, bytes: 'a body' },
  { what: 'method', channel: 65_535, bytes: '' },
  { what: 'body', channel: 8, bytes: 'x'.repeat(1_000) },
]

test.each([1, 2, 3, 5, 7, 8, 9, 64, 10_000])('frames are read from chunks of %d bytes', (size) => {
  const all = Buffer.concat(frames)
  const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    Buffer.from(all.subarray(index * size, (index + 1) * size)),
  )
  expect(readAll(chunks)).toEqual(expected)
})

test('frames are read wherever two chunks meet', () => {
  const all = Buffer.concat(frames)
  for (let at = 0; at <= all.length; at++) {
    expect(readAll([Buffer.from(all.subarray(0, at)), Buffer.from(all.subarray(at))])).toEqual(expected)
  }
})

test.each([
  { what: 'a frame without its end', bytes: frameOf(1, 0, 'abc', 0x00) },
  { what: 'a frame of an unknown type', bytes: frameOf(4, 0, 'abc') },
  { what: 'another protocol', bytes: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') },
  { what: 'the protocol header of a broker', bytes: Buffer.from('AMQP\0\0\x09\x01', 'latin1') },
  { what: 'an alert of TLS', bytes: Buffer.from([0x15, 3, 3, 0, 2, 2, 70]) },
  { what: 'a frame of 3 GiB', bytes: Buffer.from([1, 0, 0, 0xc0, 0, 0, 0, 1]) },
])('$what is a violation, whole and byte by byte', ({ bytes }) => {
  expect(() => readAll([Buffer.from(bytes)])).toThrow(Violation)
  expect(() => readAll([...bytes].map((byte) => Buffer.of(byte)))).toThrow(Violation)
})

test('a frame that is cut off is waited for', () => {
  for (let length = 0; length < frames[0]!.length; length++) {
    expect(readAll([Buffer.from(frames[0]!.subarray(0, length))])).toEqual([])
  }
})

test('any bytes are read or are a violation, and nothing else is thrown', () => {
  let seed = 1
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed
  }
  for (let round = 0; round < 2_000; round++) {
    const bytes = Buffer.concat(frames)
    for (let flips = random() % 4; flips >= 0; flips--) bytes[random() % bytes.length] = random() % 256
    try {
      readAll([bytes])
    } catch (error) {
      expect(error).toBeInstanceOf(Violation)
    }
  }
})

const headerOf = (bodySize: bigint, properties: string) => {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(60)
  head.writeBigUInt64BE(bodySize, 4)
  const bytes = Buffer.concat([head, Buffer.from(properties)])
  return new Cursor().over(bytes, 0, bytes.length)
}

test('a content is gathered from its pieces, into bytes of its own', () => {
  const assembly = new Assembly()
  const taken: Content[] = []
  assembly.begin((content) => taken.push(content))
  assembly.header(headerOf(5n, 'props'))
  const piece = Buffer.from('--bo')
  assembly.body(piece, 2, 4)
  piece.fill(0)
  expect(taken).toEqual([])
  assembly.body(Buffer.from('dy!'), 0, 3)
  assembly.begin((content) => taken.push(content))
  assembly.header(headerOf(0n, ''))
  expect(taken.map(({ properties, content }) => `${properties}/${content}`)).toEqual(['props/body!', '/'])
})

test('contents that are read over are whole when they are taken, and then the next is in their bytes', () => {
  const assembly = new Assembly({ readsOver: true })
  const [taken, kept]: [string[], Content[]] = [[], []]
  const large = 'x'.repeat(2 ** 21)
  for (const body of ['', 'ab', large, 'longer than the first', 'c']) {
    assembly.begin((content) => {
      taken.push(`${content.properties}/${content.content}`)
      kept.push(content)
    })
    assembly.header(headerOf(BigInt(body.length), 'props'))
    if (body !== '') assembly.body(Buffer.from(body), 0, body.length)
  }
  expect(taken).toEqual(['props/', 'props/ab', `props/${large}`, 'props/longer than the first', 'props/c'])
  // One that is very large has bytes of its own.
  expect(String(kept[3]?.content)).toBe('conger than the first')
  expect(kept[2]?.content).toHaveLength(2 ** 21)
})

test.each([
  { what: 'a header without a method', run: (one: Assembly) => one.header(headerOf(1n, '')) },
  { what: 'a body without a header', run: (one: Assembly) => begun(one).body(Buffer.from('x'), 0, 1) },
  {
    what: 'a body longer than its header said',
    run: (one: Assembly) => begunWith(one, 1n).body(Buffer.alloc(2), 0, 2),
  },
  { what: 'a body of 2^60 bytes', run: (one: Assembly) => begunWith(one, 2n ** 60n) },
  { what: 'a body of more than a process can hold', run: (one: Assembly) => begunWith(one, 2n ** 52n) },
  { what: 'a method before the content is whole', run: (one: Assembly) => begunWith(one, 1n).expectNone() },
])('$what is a violation', ({ run }) => {
  expect(() => run(new Assembly())).toThrow(Violation)
})
const begun = (assembly: Assembly) => {
  assembly.begin(() => undefined)
  return assembly
}
const begunWith = (assembly: Assembly, size: bigint) => {
  begun(assembly).header(headerOf(size, ''))
  return assembly
}

test('a method that is cut short is a violation for every field', () => {
  const whole = new Payload(1).octet(1).short(2).longLong(3).text('abc').longText('def').bytes
  const read = (bytes: Buffer) => {
    const cursor = new Cursor().over(Buffer.concat([bytes, Buffer.alloc(64)]), 0, bytes.length)
    return [cursor.long(), cursor.octet(), cursor.short(), cursor.longLong(), cursor.text(), cursor.longText()]
  }
  expect(read(whole)).toEqual([1, 1, 2, 3, 'abc', 'def'])
  for (let length = 0; length < whole.length; length++) expect(() => read(whole.subarray(0, length))).toThrow(Violation)
})

test.each([
  { what: 'a text over 255 bytes', write: () => new Payload(1).text('ü'.repeat(128)) },
  { what: 'a name over 255 bytes', write: () => new Payload(1).table({ ['x'.repeat(256)]: 1 }) },
  { what: 'a function', write: () => new Payload(1).table({ f: () => 1 }) },
  { what: 'no number', write: () => new Payload(1).table({ x: Number.NaN }) },
])('$what cannot be encoded', ({ write }) => {
  expect(write).toThrow(UnencodableError)
})
