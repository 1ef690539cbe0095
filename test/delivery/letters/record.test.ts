import fc from 'fast-check'
import { letterOf } from '../../../src/delivery/letters/letter.ts'
import { publishedProperties, recorded, recordLine } from '../../../src/delivery/letters/record.ts'
import { Properties } from '../../../src/delivery/message/properties.ts'
import { rawBytes, rawHeader } from '../../support/raw-message.ts'
import { anyMessage } from '../any-message.ts'
import { messageOf } from '../samples.ts'

const subscription = 'shop/billing'
const roundTrip = (message: Parameters<typeof letterOf>[0]) =>
  recorded(recordLine(letterOf(message, subscription), message, subscription))

test('every message is the same after an export and an import, byte for byte, but for the user that published it', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const found = roundTrip(message)
      if ('problem' in found) {
        const { isBroken, headers } = message.properties
        expect(isBroken || headers?.has('CC') || headers?.has('BCC')).toBe(true)
        return
      }
      expect(found).toEqual({ properties: expect.any(Buffer), body: message.content, subscription })
      if ('end' in found || message.properties.userId !== undefined) return
      expect(found.properties.equals(publishedProperties(message.properties))).toBe(true)
    }),
    { numRuns: 500 },
  )
})

const withTable = (...headers: Buffer[]) => {
  const properties = new Properties(Buffer.concat([Buffer.of(0x20, 0), rawBytes(...headers)]))
  return { ...messageOf({}), properties }
}

test('what the broker counts is no part of a letter', () => {
  const own = rawHeader('a', 'S', rawBytes('b'))
  const counted = withTable(own, rawHeader('x-delivery-count', 'l', Buffer.alloc(8)))
  expect(publishedProperties(counted.properties).equals(withTable(own).properties.raw)).toBe(true)
  const alone = withTable(rawHeader('x-acquired-count', 'l', Buffer.alloc(8)))
  expect(publishedProperties(alone.properties)).toEqual(Buffer.of(0, 0))
})

test.each([
  ['S', rawBytes('text')],
  ['S', rawBytes(Buffer.of(0xff))],
  ['t', [1]],
  ['t', [2]],
  ['b', [0xff]],
  ['B', [0xff]],
  ['s', [0x80, 0]],
  ['u', [0x80, 0]],
  ['I', [0x80, 0, 0, 0]],
  ['i', [0x80, 0, 0, 0]],
  ['l', [0x80, 0, 0, 0, 0, 0, 0, 0]],
  ['L', [0, 0, 0, 0, 0, 0, 0, 1]],
  ['f', [0x7f, 0xc0, 0, 0]],
  ['d', [0x7f, 0xf8, 0, 0, 0, 0, 0, 1]],
  ['d', [0x80, 0, 0, 0, 0, 0, 0, 0]],
  ['T', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ['D', [2, 0, 0, 0, 1]],
  ['V', []],
  ['x', rawBytes(Buffer.of(0, 1))],
  ['A', rawBytes(Buffer.from('V'))],
  ['F', rawBytes(rawHeader('a', 'V'))],
])('a header of type %s stays what it is: %j', (type, value) => {
  const message = withTable(rawHeader('name', type, value))
  expect(roundTrip(message)).toMatchObject({ properties: message.properties.raw })
})

test.each([
  ['{', 'is not JSON'],
  ['[]', 'is not a JSON object'],
  ['{"properties":{}}', 'needs body'],
  ['{"properties":{},"bodyBase64":"*"}', 'needs body'],
  ['{"body":""}', 'not as they were exported'],
  ['{"properties":{"colour":"red"},"body":""}', 'not as they were exported'],
  ['{"properties":{"priority":256},"body":""}', 'not as they were exported'],
  ['{"properties":{"timestamp":"-1"},"body":""}', 'not as they were exported'],
  [`{"properties":{"type":"${'a'.repeat(256)}"},"body":""}`, 'not as they were exported'],
  ['{"properties":{},"headers":[{"name":"a","t":"S"}],"body":""}', 'not as they were exported'],
  ['{"properties":{},"headers":[{"name":"a","t":"B","v":256}],"body":""}', 'not as they were exported'],
  ['{"properties":{},"headers":[{"name":"a","t":"x","b":"AAAA"}],"body":""}', 'not as they were exported'],
  ['{"raw":"IAA=","body":""}', 'AMQP cannot carry'],
  ['{"properties":{},"headers":[{"name":"BCC","t":"V"}],"body":""}', 'header BCC'],
])('the line %s is refused', (line, problem) => {
  expect(recorded(line)).toEqual({ problem: expect.stringContaining(problem) })
})
