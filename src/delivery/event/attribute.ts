import type { Value } from '../message/field-table.ts'

/** The value of a CloudEvents attribute, as both HTTP headers and JSON can carry it. */
export type AttributeValue = string | number | boolean

/** CloudEvents 1.0 §3.1: lower-case letters and digits; `data` is the payload's name. */
export const isAttributeName = (name: string): boolean => /^[a-z0-9]+$/.test(name) && name !== 'data'

/**
 * The value of an AMQP header as an attribute; `null` where the header is empty, `undefined` where its value does not fit
 * an attribute. Times and bytes take their canonical string form (CloudEvents 1.0 §3.1, type system), and so does an integer
 * that JSON's readers would round.
 */
export const attributeOf = (value: Value | undefined): AttributeValue | null | undefined => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : undefined
    case 'bigint':
      return String(value)
    case 'undefined':
      return null
    default:
      if (value === null) return null
      if (Buffer.isBuffer(value)) return value.toString('base64')
      return value.is === 'timestamp' ? timeText(value.seconds) : undefined
  }
}

/**
 * RFC 3339 of an AMQP timestamp, or `undefined` where it is invalid. AMQP counts seconds; many clients write milliseconds
 * nevertheless, which as seconds would be after the year 5000.
 */
export const timeText = (timestamp: number | bigint): string | undefined => {
  if (typeof timestamp === 'bigint') return undefined
  const date = new Date(timestamp < 1e11 ? timestamp * 1000 : timestamp)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

const time = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i

/** Whether a value is a time of RFC 3339, as the attribute `time` must be: a day that exists, and a zone. */
export const isTime = (value: unknown): boolean => {
  const found = typeof value === 'string' ? time.exec(value) : null
  if (found === null) return false
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])]
  const days = month === 2 && isLeap(year) ? 29 : (daysOf[month - 1] ?? 0)
  return day >= 1 && day <= days
}

const daysOf = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

const mustBeEncoded = /[^\x21\x23\x24\x26-\x7e]/
const everyRunToEncode = new RegExp(`${mustBeEncoded.source}+`, 'g')

/**
 * An attribute's value as an HTTP header: space, double quote, percent and everything except printable ASCII are
 * percent-encoded, so that no value can end a header or begin another one (CloudEvents HTTP binding 1.0 §3.1.3.2).
 */
export const headerValue = (value: AttributeValue): string => {
  if (typeof value !== 'string') return String(value)
  if (!mustBeEncoded.test(value)) return value
  return value.replace(everyRunToEncode, (run) => encodeURIComponent(run.toWellFormed()))
}

const printableAscii = /^[\x20-\x7e]+$/

/** Whether a text can be an HTTP header value unchanged. */
export const isHeaderText = (text: unknown): text is string => typeof text === 'string' && printableAscii.test(text)
