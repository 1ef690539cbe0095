import fc from 'fast-check'
import { Headers } from '../../src/delivery/message/headers.ts'
import { Properties } from '../../src/delivery/message/properties.ts'
import { decoded, encoded } from '../support/foreign-codec.ts'
import { anyEntries, anyMessage, entryOf, listed, propertiesWith, tableOf } from './any-message.ts'

const headerOf = (value: unknown) => encoded({ headers: { it: value } }).headers?.get('it')
const rawHeader = (value: string): unknown => {
  const entry = entryOf(Buffer.from('it'), Buffer.from(value, 'latin1'))
  return new Headers(entry).get('it')
}

describe('the value of a header', () => {
  test.each<[string, unknown, unknown]>([
    ['a text', 'ünï', 'ünï'],
    ['a boolean', true, true],
    ['an int8', { '!': 'int8', value: -1 }, -1],
    ['a uint8', { '!': 'uint8', value: 255 }, 255],
    ['an int16', { '!': 'int16', value: -1 }, -1],
    ['a uint16', { '!': 'uint16', value: 65_535 }, 65_535],
    ['an int32', { '!': 'int32', value: -1 }, -1],
    ['a uint32', { '!': 'uint32', value: 2 ** 32 - 1 }, 2 ** 32 - 1],
    ['an int64', { '!': 'int64', value: -1 }, -1],
    ['a large int64', { '!': 'int64', value: 2n ** 63n - 1n }, 2n ** 63n - 1n],
    ['a float', { '!': 'float', value: 0.5 }, 0.5],
    ['a double', { '!': 'double', value: 5 }, 5],
    ['a decimal', { '!': 'decimal', value: { places: 2, digits: 314 } }, { is: 'decimal', places: 2, digits: 314 }],
    ['a time', { '!': 'timestamp', value: 7 }, { is: 'timestamp', seconds: 7 }],
    ['bytes', Buffer.from([0, 255]), Buffer.from([0, 255])],
    ['nothing', null, null],
    ['a table', { a: 1 }, { is: 'table', bytes: Buffer.from([1, 97, 98, 1]) }],
    ['an array', [1], { is: 'array', bytes: Buffer.from([98, 1]) }],
  ])('%s is what another client wrote', (_, value, expected) => {
    expect(headerOf(value)).toEqual(expected)
  })

  test('a text that is not UTF-8 keeps its bytes, and a replacement character is a text', () => {
    const bytes = Buffer.from('\x00\x53\x74\xc1\x61\xff\xfe', 'latin1')
    expect(rawHeader(`S\0\0\0\x07${bytes.toString('latin1')}`)).toEqual({ is: 'bad-text', bytes })
    expect(headerOf('\uFFFD')).toBe('\uFFFD')
  })

  test('the other letter for int64 is read too', () => {
    expect(rawHeader('L\0\0\0\0\0\0\0\x07')).toBe(7)
  })

  test('any header has the value that another client reads', () => {
    const whole = anyEntries.chain((entries) => propertiesWith(entries))
    fc.assert(
      fc.property(whole, (list) => {
        const raw = listed(list)
        const { headers } = new Properties(raw)
        const foreign = decoded(raw).headers ?? {}
        const last = new Map(headers?.entries())
        for (const [name, value] of last) {
          // amqplib takes this name for the prototype of the object.
          if (name === '__proto__') continue
          const other = foreign[name] as unknown
          if (typeof value === 'string' || typeof value === 'boolean' || Buffer.isBuffer(value))
            expect(other).toEqual(value)
          if (typeof value === 'number' || typeof value === 'bigint') expect(other).toBe(Number(value))
        }
      }),
    )
  })
})

describe('the headers of a message', () => {
  test('names that objects treat in a special way are names', () => {
    const entries = ['__proto__', 'constructor', '__proto__'].map((name, at) =>
      entryOf(Buffer.from(name), Buffer.of(98, at)),
    )
    const headers = new Headers(Buffer.concat(entries))
    expect([...headers.entries()]).toEqual([
      ['__proto__', 0],
      ['constructor', 1],
      ['__proto__', 2],
    ])
    expect(headers.get('__proto__')).toBe(0)
    expect(headers.get('toString')).toBeUndefined()
  })

  test('headers nested 20,000 deep are passed over', () => {
    let value = Buffer.from('V')
    for (let depth = 0; depth < 20_000; depth++) value = Buffer.concat([Buffer.from('A'), tableOf([value])])
    const entries = [entryOf(Buffer.from('deep'), value), entryOf(Buffer.from('next'), Buffer.of(98, 7))]
    const headers = new Headers(Buffer.concat(entries))
    expect(headers.get('deep')).toMatchObject({ is: 'array' })
    expect(headers.get('next')).toBe(7)
  })

  test.each([
    ['a value of an unknown type', 'Z'],
    ['a text longer than the table', 'S\0\0\0\x05abc'],
    ['half a length', 'S\0\0'],
    ['half a number', 'I\0'],
    ['a table longer than the table', 'F\xff\xff\xff\xff'],
    ['no type', ''],
  ])('headers end where there is %s', (_, value) => {
    const fine = entryOf(Buffer.from('fine'), Buffer.of(98, 7))
    const headers = new Headers(Buffer.concat([fine, entryOf(Buffer.from('it'), Buffer.from(value, 'latin1'))]))
    expect(headers.isBroken).toBe(true)
    expect([...headers.entries()]).toEqual([['fine', 7]])
  })
})

describe('the properties of a message', () => {
  test('properties are what another client wrote', () => {
    const properties = {
      ...{ contentType: 'a/b', contentEncoding: 'gzip', priority: 255, correlationId: 'c', replyTo: 'r' },
      ...{ expiration: '1', messageId: 'm', timestamp: 7, type: 't', userId: 'u', appId: 'a' },
    }
    expect(encoded({ ...properties, headers: { x: 1 }, deliveryMode: 2 })).toMatchObject(properties)
    const none = encoded({})
    expect(none.headers).toBeUndefined()
    expect(Object.keys(properties).map((name) => none[name as keyof Properties])).toEqual(Array(11).fill(undefined))
  })

  test('any properties are read without an error', () => {
    fc.assert(
      fc.property(anyMessage, ({ properties }) => {
        const { headers, timestamp, messageId, isBroken } = properties
        expect([...(headers?.entries() ?? [])].length).toBe(headers?.names.length ?? 0)
        expect([typeof timestamp, typeof messageId, typeof isBroken].includes('object')).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})
