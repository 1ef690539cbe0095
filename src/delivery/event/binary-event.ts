import type { Headers } from '../message/headers.ts'
import type { Properties } from '../message/properties.ts'
import { type AttributeValue, attributeOf, isAttributeName, isHeaderText, isTime } from './attribute.ts'
import {
  type BinaryEvent,
  badName,
  badTime,
  badVersion,
  broken,
  codingOf,
  missing,
  type Unparsable,
} from './cloud-event.ts'

/** The AMQP binding's own prefixes, and those that Knative and others write. */
const prefixes = ['cloudEvents:', 'cloudEvents_', 'ce-', 'ce_'] as const
type Prefix = (typeof prefixes)[number]

const versions = prefixes.map((prefix) => ({ prefix, header: `${prefix}specversion` }))

/** More would be more than the headers of a request. */
const mostAttributes = 1000

/**
 * The prefix of the headers that claim that a message is a CloudEvent: that of `specversion`, else one that nobody else
 * writes. A header `ce_id` alone may be anything.
 */
export const prefixOf = (headers: Headers): Prefix | undefined => {
  const { names } = headers
  for (const { prefix, header } of versions) if (names.includes(header)) return prefix
  for (const name of names) {
    if (name.startsWith('cloudEvents')) {
      const prefix = name.startsWith('cloudEvents:') ? 'cloudEvents:' : 'cloudEvents_'
      if (name.startsWith(prefix)) return prefix
    }
  }
  return undefined
}

/** Reads a CloudEvent whose attributes are headers with this prefix. */
export const binaryEvent = (properties: Properties, body: Buffer, prefix: Prefix): BinaryEvent | Unparsable => {
  const { headers, contentType } = properties
  const attributes: AttributeValue[] = []
  let specversion: AttributeValue = ''
  let id: AttributeValue = ''
  let source: AttributeValue = ''
  let type: AttributeValue = ''
  let dataContentType: AttributeValue | undefined
  const names = headers?.names ?? []
  for (let index = 0; index < names.length; index++) {
    const header = names[index] as string
    if (!header.startsWith(prefix)) continue
    const name = header.slice(prefix.length)
    const value = attributeOf(headers?.at(index))
    if (value === null) continue
    if (value === undefined) return broken(name, 'must be a string in UTF-8, a number, a boolean, a time or bytes')
    if (has(attributes, name)) return broken(name, 'is there more than once')
    if (name === 'id') id = value
    else if (name === 'source') source = value
    else if (name === 'type') type = value
    else if (name === 'specversion') specversion = value
    else if (name === 'datacontenttype') {
      dataContentType = value
      continue
    } else if (!isAttributeName(name)) {
      return badName(name)
    } else if (name === 'time' && !isTime(value)) {
      return badTime
    }
    attributes.push(name, value)
    if (attributes.length > 2 * mostAttributes) return { unparsable: `It has more than ${mostAttributes} attributes` }
  }
  if (specversion !== '1.0') return badVersion(specversion)
  if (id === '') return missing('id')
  if (source === '') return missing('source')
  if (type === '') return missing('type')
  const dataType = contentType || dataContentType
  if (dataType !== undefined && !isHeaderText(dataType)) return broken('datacontenttype', 'must be a media type')
  return {
    mode: 'binary',
    id: String(id),
    source: String(source),
    attributes,
    contentType: dataType,
    contentEncoding: codingOf(properties),
    body,
    headers,
  }
}

const has = (attributes: readonly AttributeValue[], name: string): boolean => {
  for (let at = 0; at < attributes.length; at += 2) if (attributes[at] === name) return true
  return false
}
