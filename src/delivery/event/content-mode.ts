import { isUtf8 } from 'node:buffer'
import type { BinaryEvent, StructuredEvent } from './cloud-event.ts'
import { isBracketed, longText, memberText, parsed } from './json-member.ts'
import { charsetOf, isJson } from './media-type.ts'

/** The same event with its data as the body. JSON data stay exactly as they were written. */
export const binaryOf = (event: StructuredEvent): BinaryEvent => {
  const { members, text } = event.document
  const { data, data_base64: base64, datacontenttype } = members
  const declared = typeof datacontenttype === 'string' ? datacontenttype : undefined
  const { id, source, attributes, headers } = event
  const context = { mode: 'binary', id, source, attributes, headers, contentEncoding: undefined } as const
  if (typeof base64 === 'string') return { ...context, contentType: declared, body: Buffer.from(base64, 'base64') }
  if (data === undefined) return { ...context, contentType: declared, body: Buffer.alloc(0) }
  // JSON format §3.1.1: data without a type are JSON, and a string under any other type is the content itself.
  const contentType = declared ?? 'application/json'
  const content = typeof data === 'string' && !isJson(contentType) ? data : memberText(text, 'data')
  return { ...context, contentType, body: Buffer.from(content ?? '') }
}

/** The same event as one JSON document. JSON and text data are embedded as such, byte for byte; other data in Base64. */
export const structuredOf = (event: BinaryEvent): Buffer => {
  const { attributes, contentType, contentEncoding, body } = event
  const members: string[] = []
  for (let at = 0; at < attributes.length; at += 2) {
    members.push(`${JSON.stringify(attributes[at])}:${JSON.stringify(attributes[at + 1])}`)
  }
  if (contentType !== undefined) members.push(`"datacontenttype":${JSON.stringify(contentType)}`)
  // An extension: the JSON format has no attribute for compressed data.
  if (contentEncoding !== undefined) members.push(`"contentencoding":"${contentEncoding}"`)
  const context = `{${members.join(',')}`
  if (body.length === 0) return Buffer.from(`${context}}`)
  const isText = contentType !== undefined && contentEncoding === undefined && isUtf8Text(contentType, body)
  if (isText && isJson(contentType) && parses(body)) {
    return Buffer.concat([Buffer.from(`${context},"data":`), body, Buffer.from('}')])
  }
  if (isText && /^text\//i.test(contentType)) {
    return Buffer.from(`${context},"data":${JSON.stringify(body.toString())}}`)
  }
  return Buffer.from(`${context},"data_base64":"${body.toString('base64')}"}`)
}

/** A declared character set other than UTF-8 is left to the subscriber. */
const isUtf8Text = (contentType: string, body: Buffer): boolean =>
  ['utf-8', 'utf8', 'us-ascii'].includes(charsetOf(contentType)) && isUtf8(body)

/** A long one needs to have its brackets only, so that it cannot end the document that it is embedded in. */
const parses = (body: Buffer): boolean => {
  const text = body.toString()
  return (text.length > longText && isBracketed(text)) || parsed(text) !== undefined
}
