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

/** More would be more than the headers of a request. */
const mostAttributes = 1000

/**
 * The prefix of the headers that claim that a message is a CloudEvent: that of `specversion`, else one that nobody else
 * writes. A header `ce_id` alone may be anything.
 */
export const prefixOf = (headers: Headers): Prefix | undefined => {
  const { names } = headers
  return (
    prefixes.find((prefix) => names.includes(`${prefix}specversion`)) ??
    prefixes.find((prefix) => prefix.startsWith('cloudEvents') && names.some((name) => name.startsWith(prefix)))
  )
}

/** Reads a CloudEvent whose attributes are headers with this prefix. */
export const binaryEvent = (properties: Properties, body: Buffer, prefix: Prefix): BinaryEvent | Unparsable => {
  const { headers, contentType } = properties
  const attributes: AttributeValue[] = []
  const found: Found = { specversion: '', id: '', source: '', type: '', datacontenttype: '' }
  const names = headers?.names ?? []
  for (let index = 0; index < names.length; index++) {
    const header = names[index] as string
    if (!header.startsWith(prefix)) continue
    const name = header.slice(prefix.length)
    const value = attributeOf(headers?.at(index))
    if (value === null) continue
    const fault = faultOf(name, value, attributes)
    if (fault !== undefined) return fault
    if (Object.hasOwn(found, name)) found[name as keyof Found] = value as AttributeValue
    if (name !== 'datacontenttype') attributes.push(name, value as AttributeValue)
  }
  const { specversion, id, source, type, datacontenttype } = found
  if (specversion !== '1.0') return badVersion(specversion)
  if (id === '') return missing('id')
  if (source === '') return missing('source')
  if (type === '') return missing('type')
  const dataType = contentType || (datacontenttype === '' ? undefined : datacontenttype)
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

type Found = Record<'specversion' | 'id' | 'source' | 'type' | 'datacontenttype', AttributeValue>

const faultOf = (
  name: string,
  value: ReturnType<typeof attributeOf>,
  before: readonly AttributeValue[],
): Unparsable | undefined => {
  if (value === undefined) return broken(name, 'must be a string in UTF-8, a number, a boolean, a time or bytes')
  if (!isAttributeName(name)) return badName(name)
  for (let at = 0; at < before.length; at += 2) if (before[at] === name) return broken(name, 'is there more than once')
  if (before.length >= 2 * mostAttributes) return { unparsable: `There are more than ${mostAttributes} attributes` }
  return name === 'time' && !isTime(value) ? badTime : undefined
}
