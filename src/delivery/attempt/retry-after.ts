/**
 * The wait that a `Retry-After` asks for, in ms from `now` (ms since 1970): seconds or an HTTP date, RFC 9110 §10.2.3.
 * `undefined` for an invalid value and for a time that has passed. It may be very long: cap it.
 */
export const retryAfterMs = (value: unknown, now: number): number | undefined => {
  // A repeated header arrives as a list: the first value counts.
  const text = Array.isArray(value) ? value[0] : value
  if (typeof text !== 'string') return undefined
  const trimmed = text.trim()
  if (/^\d+$/.test(trimmed)) return positive(Number(trimmed) * 1000)
  return httpDate.test(trimmed) ? positive(Date.parse(trimmed) - now) : undefined
}

/** All three forms of RFC 9110 §5.6.7 begin with a weekday; `Date.parse` alone would also take `-5` for a year. */
const httpDate = /^(Mon|Tues?|Wed(nes)?|Thu(rs)?|Fri|Sat(ur)?|Sun)(day)?[, ]/

const positive = (ms: number): number | undefined => (ms > 0 ? Math.min(ms, Number.MAX_SAFE_INTEGER) : undefined)
