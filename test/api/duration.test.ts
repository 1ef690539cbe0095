import * as fc from 'fast-check'
import { durationText, milliseconds } from '../../src/api/duration.ts'
import { isDuration } from '../../src/api/schema/fields.ts'

test.each([
  ['30s', 30_000, '30s'],
  ['60s', 60_000, '1m'],
  ['1h30m', 5_400_000, '1h30m'],
  ['90m', 5_400_000, '1h30m'],
  ['500ms', 500, '500ms'],
  ['1m500ms', 60_500, '1m500ms'],
  ['24h', 86_400_000, '24h'],
  ['0s', 0, '0s'],
])('the duration %s is %d ms, and its shortest spelling is %s', (text, ms, shortest) => {
  expect(milliseconds(text)).toBe(ms)
  expect(durationText(ms)).toBe(shortest)
})

test('the shortest spelling of a duration has the same value and matches the schema', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 99_999 * 3_600_000 }), (ms) => {
      const text = durationText(ms)
      expect(milliseconds(text)).toBe(ms)
      expect(isDuration(text)).toBe(true)
    }),
  )
})
