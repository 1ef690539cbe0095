import type { Properties } from '../message/properties.ts'
import { type AttributeValue, isAttributeName, isHeaderText, isTime } from './attribute.ts'
import {
  badName,
  badTime,
  badVersion,
  broken,
  codingOf,
  missing,
  quoted,
  type StructuredEvent,
  type Unparsable,
} from './cloud-event.ts'
import { longText, membersOf, parsed } from './json-member.ts'
import { charsetOf } from './media-type.ts'

export const eventFormat = 'application/cloudevents+json'

/**
 * Reads a CloudEvent that is one JSON document.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export const structuredEvent = (
  properties: Properties,
  body: Buffer,
  contentType: string,
): StructuredEvent | Unparsable => {
  const format = contentType.split(';', 1)[0]?.trim().toLowerCase()
  if (format?.startsWith('application/cloudevents-batch')) {
    return { unparsable: 'A batch of CloudEvents cannot be delivered as one: publish each as a message of its own' }
  }
  if (format !== eventFormat) {
    return {
      unparsable: `The only supported CloudEvents format is ${eventFormat}, found ${quoted(contentType)}`,
    }
  }
  const coding = codingOf(properties)
  if (coding !== undefined) return { unparsable: `The CloudEvents document must not be compressed, found ${coding}` }
  const text = textOf(body, contentType)
  if (text === undefined) return { unparsable: 'The CloudEvents document is not valid text in its character set' }
  const members = objectOf(text)
  if (members === undefined) return { unparsable: 'The CloudEvents document is not a JSON object' }
  const attributes = attributesOf(members)
  if ('unparsable' in attributes) return attributes
  return {
    mode: 'structured',
    id: String(members.id),
    source: String(members.source),
    attributes,
    contentType: isHeaderText(contentType) ? contentType : eventFormat,
    contentEncoding: undefined,
    document: { text, members },
    body,
    headers: properties.headers,
  }
}

const attributesOf = (members: Readonly<Record<string, unknown>>): AttributeValue[] | Unparsable => {
  const { specversion, data_base64: base64, datacontenttype: dataType } = members
  if (specversion !== '1.0') return badVersion(specversion)
  for (const name of ['id', 'source', 'type']) {
    const value = members[name]
    if (typeof value !== 'string' || value === '') return missing(name)
  }
  if (dataType !== undefined && dataType !== null && !isHeaderText(dataType)) {
    return broken('datacontenttype', 'must be a media type')
  }
  if (base64 !== undefined && base64 !== null) {
    if (members.data !== undefined) return { unparsable: 'The CloudEvents document has both data and data_base64' }
    if (!isBase64(base64)) return { unparsable: 'The member data_base64 of the CloudEvents document is not Base64' }
  }
  const attributes: AttributeValue[] = []
  for (const [name, value] of Object.entries(members)) {
    if (name === 'data' || name === 'data_base64' || name === 'datacontenttype' || value === null) continue
    if (!isAttributeName(name)) {
      return badName(name)
    }
    if (typeof value === 'object') return broken(name, 'must be a string, a number or a boolean')
    if (name === 'time' && !isTime(value)) return badTime
    attributes.push(name, value as AttributeValue)
  }
  return attributes
}

const textOf = (body: Buffer, contentType: string): string | undefined => {
  try {
    return new TextDecoder(charsetOf(contentType), { fatal: true }).decode(body)
  } catch {
    // The character set is unknown, or the bytes are not valid in it.
    return undefined
  }
}

const objectOf = (text: string): Record<string, unknown> | undefined => {
  if (text.length > longText) return longObjectOf(text)
  const value = parsed(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

/**
 * A long document with everything read but an object or array in `data`: whether that is valid is left to the subscriber,
 * because to read it would hold up every other message meanwhile.
 */
const longObjectOf = (text: string): Record<string, unknown> | undefined => {
  const found = membersOf(text)?.map(({ name, start, end }): [string, unknown] => {
    const isNested = text[start] === '{' || text[start] === '['
    return [name, isNested ? nested : parsed(text.slice(start, end))]
  })
  return found?.some(([, value]) => value === undefined) ? undefined : found && Object.fromEntries(found)
}

/** Stands for an object or an array that was not read. */
const nested: object = Object.freeze({})

const isBase64 = (value: unknown): boolean => typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
