import type { Headers, Message } from '../message/message.ts'
import { type AttributeValue, attributeOf, isAttributeName, isHeaderText } from './attribute.ts'
import { type BinaryEvent, badName, badVersion, broken, codingOf, missing, type Unparsable } from './cloud-event.ts'

/** The AMQP binding's own prefixes, and those that Knative and others write. */
const prefixes = ['cloudEvents:', 'cloudEvents_', 'ce-', 'ce_'] as const
type Prefix = (typeof prefixes)[number]

const required = ['specversion', 'id', 'source', 'type'] as const
const marks = required.flatMap((attribute) => prefixes.map((prefix) => ({ prefix, header: prefix + attribute })))

/** The prefix of the headers that make a message a CloudEvent: that of `specversion`, else of any required attribute. */
export const prefixOf = (headers: Headers): Prefix | undefined =>
  marks.find(({ header }) => headers[header] !== undefined)?.prefix

/** Reads a CloudEvent whose attributes are headers with this prefix. */
export const binaryEvent = (message: Message, prefix: Prefix): BinaryEvent | Unparsable => {
  const { headers = {}, contentType } = message.properties
  const attributes: AttributeValue[] = []
  let specversion: AttributeValue = ''
  let id: AttributeValue = ''
  let source: AttributeValue = ''
  let type: AttributeValue = ''
  let dataContentType: AttributeValue | undefined
  for (const header in headers) {
    if (!header.startsWith(prefix)) continue
    const name = header.slice(prefix.length)
    const value = attributeOf(headers[header])
    if (value === null) continue
    if (value === undefined) return broken(name, 'must be a string, a number, a boolean, a time or bytes')
    if (typeof value === 'string' && value.includes('\uFFFD')) return broken(name, 'must be UTF-8')
    if (name === 'id') id = value
    else if (name === 'source') source = value
    else if (name === 'type') type = value
    else if (name === 'specversion') specversion = value
    else if (name === 'datacontenttype') {
      dataContentType = value
      continue
    } else if (!isAttributeName(name)) {
      return badName(name)
    }
    attributes.push(name, value)
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
    contentEncoding: codingOf(message.properties),
    body: message.content,
    headers,
  }
}
