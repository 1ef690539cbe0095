/** The value of a CloudEvents attribute, as both HTTP headers and JSON can carry it. */
export type AttributeValue = string | number | boolean

/** CloudEvents 1.0 §3.1: lower-case letters and digits; `data` is the payload's name. */
export const isAttributeName = (name: string): boolean => /^[a-z0-9]+$/.test(name) && name !== 'data'

/**
 * The value of an AMQP header as an attribute; `null` where the header is empty, `undefined` where its value does not fit
 * an attribute. Times and bytes take their canonical string form (CloudEvents 1.0 §3.1, type system).
 */
export const attributeOf = (value: unknown): AttributeValue | null | undefined => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : undefined
    case 'undefined':
      return null
    case 'object':
      if (value === null) return null
      if (Buffer.isBuffer(value)) return value.toString('base64')
      return '!' in value && value['!'] === 'timestamp' && 'value' in value ? timeText(value.value) : undefined
    default:
      return undefined
  }
}

/**
 * RFC 3339 of an AMQP timestamp, or `undefined` where it is invalid. AMQP counts seconds; many clients write milliseconds
 * nevertheless, which as seconds would be after the year 5000.
 */
export const timeText = (timestamp: unknown): string | undefined => {
  if (typeof timestamp !== 'number') return undefined
  const date = new Date(timestamp < 1e11 ? timestamp * 1000 : timestamp)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

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
