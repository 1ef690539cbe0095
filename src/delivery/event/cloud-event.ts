import type { Headers } from '../message/headers.ts'
import type { Properties } from '../message/properties.ts'
import { type AttributeValue, isAttributeName, isHeaderText } from './attribute.ts'

/** A CloudEvent 1.0, in the content mode of its message. */
export type CloudEvent = BinaryEvent | StructuredEvent

/** The payload is the message's body, byte for byte. */
export type BinaryEvent = Context & {
  readonly mode: 'binary'
  /** `datacontenttype` */
  readonly contentType: string | undefined
}

/** The message's body is the whole event as one JSON document. */
export type StructuredEvent = Context & {
  readonly mode: 'structured'
  readonly contentType: string
  readonly document: JsonDocument
}

/** A parsed event document; `text` serves to extract its data exactly as they were written. */
export type JsonDocument = { readonly text: string; readonly members: Readonly<Record<string, unknown>> }

export type Context = {
  readonly id: string
  readonly source: string
  /** All attributes but `datacontenttype`: name, value, name, value, … */
  readonly attributes: readonly AttributeValue[]
  readonly contentEncoding: string | undefined
  readonly body: Buffer
  /** The AMQP headers, for those that are passed on though they are not attributes. */
  readonly headers: Headers | undefined
}

export const attributeNamed = ({ attributes }: Context, name: string): AttributeValue | undefined => {
  for (let at = 0; at < attributes.length; at += 2) if (attributes[at] === name) return attributes[at + 1]
  return undefined
}

/** Why a message is not a valid event. */
export type Unparsable = { readonly unparsable: string }

const codings = new Set(['gzip', 'x-gzip', 'compress', 'deflate', 'br', 'zstd'])

/** The coding of the body where it is one of HTTP: many clients write a character set there, which HTTP refuses. */
export const codingOf = ({ contentEncoding }: Properties): string | undefined => {
  if (!isHeaderText(contentEncoding)) return undefined
  const coding = contentEncoding.toLowerCase()
  return codings.has(coding) ? coding : undefined
}

/** A text from the producer for people to read: shortened, and in printable ASCII only. */
export const quoted = (text: unknown): string =>
  JSON.stringify(String(text).slice(0, 40)).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** Says what is wrong with an attribute. */
export const broken = (attribute: string, what: string): Unparsable => ({
  unparsable: `The CloudEvents attribute ${isAttributeName(attribute) ? attribute.slice(0, 40) : quoted(attribute)} ${what}`,
})

export const missing = (attribute: string): Unparsable => broken(attribute, 'is missing or empty')

export const badName = (name: string): Unparsable =>
  broken(name, 'has a name that is not only lower-case letters and digits')

export const badTime = broken('time', 'must be a time of RFC 3339 with its zone, such as 2026-01-31T12:00:00Z')

export const badVersion = (found: unknown): Unparsable =>
  found === '' || found === undefined || found === null
    ? missing('specversion')
    : broken('specversion', `must be 1.0, found ${quoted(found)}`)
