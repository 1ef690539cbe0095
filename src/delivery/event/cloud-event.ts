import type { Headers, Properties } from '../message/message.ts'
import { type AttributeValue, isAttributeName, isHeaderText } from './attribute.ts'

/** A CloudEvent 1.0, in the content mode in which it came. */
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

/** A parsed event document; `text` is for taking its data out as they were written. */
export type JsonDocument = { readonly text: string; readonly members: Readonly<Record<string, unknown>> }

export type Context = {
  readonly id: string
  readonly source: string
  /** All attributes but `datacontenttype`: name, value, name, value, … */
  readonly attributes: readonly AttributeValue[]
  readonly contentEncoding: string | undefined
  readonly body: Buffer
  /** The AMQP headers, for those that are not CloudEvents' and go along. */
  readonly headers: Headers | undefined
}

/** Why a message is no valid event. */
export type Unparsable = { readonly unparsable: string }

const codings = new Set(['gzip', 'x-gzip', 'compress', 'deflate', 'br', 'zstd'])

/** The coding of the body where HTTP knows it: many clients write a character set there, which HTTP would refuse. */
export const codingOf = ({ contentEncoding }: Properties): string | undefined => {
  if (!isHeaderText(contentEncoding)) return undefined
  const coding = contentEncoding.toLowerCase()
  return codings.has(coding) ? coding : undefined
}

/** A text of the producer's for people to read: short, and in printable ASCII whatever it holds. */
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
  broken(name, 'has a name that is not of lower-case letters and digits')

export const badVersion = (found: unknown): Unparsable =>
  found === '' || found === undefined || found === null
    ? missing('specversion')
    : broken('specversion', `must be 1.0, found ${quoted(found)}`)
