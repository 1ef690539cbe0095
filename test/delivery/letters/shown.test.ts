import { letterOf } from '../../../src/delivery/letters/letter.ts'
import { isMasked, shown } from '../../../src/delivery/letters/shown.ts'
import { Properties } from '../../../src/delivery/message/properties.ts'
import { rawBytes, rawHeader } from '../../support/raw-message.ts'
import { messageOf } from '../samples.ts'

const headersOf = (...headers: Buffer[]) => {
  const properties = new Properties(Buffer.concat([Buffer.of(0x20, 0), rawBytes(...headers)]))
  const message = { ...messageOf({}), properties }
  return shown(letterOf(message, 'shop/billing'), message).headers
}
const text = (name: string, value: string) => rawHeader(name, 'S', rawBytes(value))

test.each(['Authorization', 'Set-Cookie', 'x-api-TOKEN', 'client_secret', 'dbPassword', 'X-Hub-Signature-256'])(
  'the value of the header %s is not shown',
  (name) => {
    expect(isMasked(name)).toBe(true)
    expect(headersOf(text(name, 'canary'))).toEqual([{ name, masked: true }])
  },
)

test('nor is it inside of tables and arrays, and what is nested too deep is not shown at all', () => {
  const secret = text('authorization', 'canary')
  const inner = rawBytes(secret, text('a', 'b'))
  const table = [
    { name: 'authorization', masked: true },
    { name: 'a', value: 'b' },
  ]
  expect(headersOf(rawHeader('t', 'F', inner))).toEqual([{ name: 't', value: { table } }])
  const array = rawBytes(Buffer.concat([Buffer.from('F'), inner]))
  expect(headersOf(rawHeader('l', 'A', array))).toEqual([{ name: 'l', value: [{ table }] }])
  let deep = inner
  for (let depth = 0; depth < 5_000; depth++) deep = rawBytes(rawHeader('t', 'F', deep))
  const found = JSON.stringify(headersOf(rawHeader('t', 'F', deep)))
  expect(found).toContain('nested too deep')
  expect(found).not.toContain('canary')
})

test('values that JSON cannot say are texts, and bytes are base64', () => {
  expect(
    headersOf(
      rawHeader('nan', 'd', [0x7f, 0xf8, 0, 0, 0, 0, 0, 0]),
      rawHeader('long', 'l', [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
      rawHeader('bytes', 'x', rawBytes(Buffer.of(1))),
      rawHeader('time', 'T', [0, 0, 0, 0, 0, 0, 0, 0]),
      rawHeader('late', 'T', Buffer.alloc(8, 0xff)),
    ).map((header) => ('value' in header ? header.value : undefined)),
  ).toEqual(['NaN', '9223372036854775807', { bytes: 'AQ==' }, '1970-01-01T00:00:00.000Z', '18446744073709551615 s'])
})
