import fc from 'fast-check'
import { retryAfterMs } from '../../src/delivery/attempt/retry-after.ts'
import { now } from './samples.ts'

test.each([
  ['seconds', '120', 120_000],
  ['seconds with spaces', ' 5 ', 5_000],
  ['an HTTP date', 'Sat, 01 Mar 2025 12:00:30 GMT', 30_000],
  ['an obsolete date', 'Saturday, 01-Mar-25 12:00:30 GMT', 30_000],
  ['the date of asctime', 'Sat Mar  1 12:00:30 2025 GMT', 30_000],
  ['a list: the first one', ['7', '9'], 7_000],
  ['zero', '0', undefined],
  ['a date that has passed', 'Sat, 01 Mar 2025 11:59:59 GMT', undefined],
  ['a negative number', '-5', undefined],
  ['a fraction', '1.5', undefined],
  ['garbage', 'soon', undefined],
  ['an ISO date', '2026-01-01T00:00:00Z', undefined],
  ['a date that is none', 'Sat, 99 Foo 2025', undefined],
  ['nothing', '', undefined],
  ['no header', undefined, undefined],
])('a Retry-After of %s is parsed to the expected wait or ignored', (_, value, expected) => {
  expect(retryAfterMs(value, now)).toBe(expected)
})

test('a Retry-After with a huge number becomes the largest safe number', () => {
  expect(retryAfterMs('9'.repeat(400), now)).toBe(Number.MAX_SAFE_INTEGER)
})

test('any Retry-After is parsed to a positive wait or ignored', () => {
  fc.assert(
    fc.property(fc.anything(), fc.string(), (value, text) => {
      for (const each of [value, text]) expect(retryAfterMs(each, now) ?? 1).toBeGreaterThan(0)
    }),
  )
})
