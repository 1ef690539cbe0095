import type { DeadLetterPolicy } from '../../api/kinds/dead-letter-policy.ts'
import { type as types, valueEnd } from '../message/field-table.ts'
import { Headers } from '../message/headers.ts'
import type { Message } from '../message/message.ts'
import { Properties } from '../message/properties.ts'
import { waybillHeaders } from '../message/waybill-headers.ts'
import { type Letter, letterOf } from './letter.ts'
import { withTable } from './plain-properties.ts'
import { redactedJson } from './redact-json.ts'

/** What is withheld of a dead letter. */
export type Redaction = {
  readonly bodies: boolean
  /** Whether the value of the header of this name is withheld; `undefined` where that is true of none. */
  readonly isHeader: ((name: string) => boolean) | undefined
  readonly pointers: readonly string[]
}

/** What is there instead. */
export const withheld = '[redacted]'

/** The redaction that a policy asks for; `undefined` where it asks for none. */
export const redactionOf = (policy: DeadLetterPolicy | undefined): Redaction | undefined => {
  const { bodies = false, headers = [], jsonPointers = [] } = policy?.spec.redact ?? {}
  if (!bodies && headers.length === 0 && jsonPointers.length === 0) return undefined
  return { bodies, isHeader: headers.length === 0 ? undefined : isOneOf(headers), pointers: jsonPointers }
}

const isOneOf = (names: readonly string[]): ((name: string) => boolean) => {
  const [starts, wholes] = [[] as string[], new Set<string>()]
  for (const name of names.map((each) => each.toLowerCase())) {
    if (name.endsWith('*')) starts.push(name.slice(0, -1))
    else wholes.add(name)
  }
  return (name) => {
    const lower = name.toLowerCase()
    return wholes.has(lower) || starts.some((start) => lower.startsWith(start))
  }
}

/** A message without what is withheld; the same object where there is nothing of that in it. */
export const redacted = (message: Message, { bodies, isHeader, pointers }: Redaction): Message => {
  const properties = isHeader ? withoutHeaders(message.properties, isHeader) : message.properties
  const content = bodies ? Buffer.from(withheld) : withoutPlaces(message.content, pointers)
  if (properties === message.properties && content === message.content) return message
  return { ...message, properties, content }
}

/** A dead letter as others may see it. */
export type Visible = { readonly letter: Letter; readonly message: Message; readonly isRedacted: boolean }

/** Reads the dead letters of a subscription, without what is withheld. What they are known by stays the same. */
export const readLetters = (
  subscription: string,
  redaction: Redaction | undefined,
): ((message: Message) => Visible) => {
  const plain = (message: Message): Visible => ({
    ...{ letter: letterOf(message, subscription), message, isRedacted: false },
  })
  if (redaction === undefined) return plain
  const ofEvent = { ...redaction, bodies: false }
  return (whole) => {
    const message = redacted(whole, redaction)
    if (message === whole) return plain(whole)
    const known = letterOf(whole, subscription)
    // A type or an id in the body says what kind of event it is: that is withheld only where it is named.
    const letter = letterOf(redacted(whole, ofEvent), subscription, 'dead', known)
    return { letter, message, isRedacted: true }
  }
}

const withoutPlaces = (content: Buffer, pointers: readonly string[]): Buffer => {
  if (pointers.length === 0 || content.length === 0) return content
  return redactedJson(content, pointers, withheld) ?? Buffer.from(withheld)
}

const withoutHeaders = (properties: Properties, isHeader: (name: string) => boolean): Properties => {
  const { headers } = properties
  // What cannot be read may hold them.
  if (properties.isBroken || headers?.isBroken) return new Properties(Buffer.of(0, 0))
  if (headers === undefined) return properties
  // This one has all the others in it.
  const isOne = (name: string) => name === waybillHeaders.brokenProperties || isHeader(name)
  const table = withoutValues(headers.raw, isOne, 0)
  return table.equals(headers.raw) ? properties : new Properties(withTable(properties, table))
}

/** What is nested deeper is withheld. */
const deepest = 16
const replacement = ((): Buffer => {
  const head = Buffer.from('S\0\0\0\0', 'latin1')
  head.writeUInt32BE(withheld.length, 1)
  return Buffer.concat([head, Buffer.from(withheld)])
})()

const withoutValues = (table: Buffer, isOne: (name: string) => boolean, depth: number): Buffer =>
  Buffer.concat(
    [...new Headers(table).places()].flatMap(({ name, at, value, end }) => [
      table.subarray(at, value),
      isOne(name) ? replacement : withoutNested(table.subarray(value, end), isOne, depth),
    ]),
  )

/** A value with its type byte. */
const withoutNested = (value: Buffer, isOne: (name: string) => boolean, depth: number): Buffer => {
  const type = value[0]
  if (type !== types.table && type !== types.array) return value
  if (depth >= deepest) return replacement
  const inner = value.subarray(5)
  const kept = type === types.table ? withoutValues(inner, isOne, depth + 1) : withoutElements(inner, isOne, depth + 1)
  const head = Buffer.alloc(5, value[0])
  head.writeUInt32BE(kept.length, 1)
  return Buffer.concat([head, kept])
}

const withoutElements = (array: Buffer, isOne: (name: string) => boolean, depth: number): Buffer => {
  const parts: Buffer[] = []
  for (let at = 0; at < array.length; ) {
    const end = valueEnd(array, at)
    if (end === -1) break
    parts.push(withoutNested(array.subarray(at, end), isOne, depth))
    at = end
  }
  return Buffer.concat(parts)
}
