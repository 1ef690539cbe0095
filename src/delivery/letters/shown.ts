import { type Value, valueAt, valueEnd } from '../message/field-table.ts'
import { Headers } from '../message/headers.ts'
import type { Message } from '../message/message.ts'
import type { Letter } from './letter.ts'

/** A value of a header as JSON; what JSON cannot say is a text, or says what it is. */
export type ShownValue =
  | string
  | number
  | boolean
  | null
  | { readonly bytes: string }
  | { readonly table: readonly ShownHeader[] }
  | readonly ShownValue[]

/** A header as it is shown: its value is left out where the name says that it is a secret. */
export type ShownHeader =
  | { readonly name: string; readonly value: ShownValue }
  | { readonly name: string; readonly masked: true }

/** A dead letter as it is shown, without its body; times are ISO 8601. What is not known is left out. */
export type ShownLetter = {
  readonly id: string
  readonly group: string
  readonly reason: string
  readonly error: string
  readonly statusCode?: number
  readonly problem?: string
  readonly eventId?: string
  readonly eventType?: string
  readonly exchange: string
  readonly routingKey: string
  readonly attempts: number
  readonly firstAttempt?: string
  readonly lastAttempt?: string
  readonly lastAttempts: readonly { readonly time: string; readonly result: string; readonly tookMs: number }[]
  readonly deadLettered?: string
  readonly replays: number
  readonly replay?: string
  readonly size: number
  readonly contentType?: string
  readonly messageId?: string
  readonly headers: readonly ShownHeader[]
  /** Something of it is withheld, by its DeadLetterPolicy. */
  readonly redacted?: true
}

const secretName = /authorization|cookie|token|secret|password|signature/i

/** Whether the value of a header of this name is not shown. */
export const isMasked = (name: string): boolean => secretName.test(name)

/** What is shown of a letter. */
export const shown = (letter: Letter, { properties }: Message, isRedacted = false): ShownLetter => {
  const { id, group, reason, error, statusCode, problem, eventId, eventType, exchange, routingKey } = letter
  const { attempts, replays, replay, size, firstAttempt, lastAttempt, lastAttempts, deadLettered } = letter
  return {
    ...given({
      ...{ id, group, reason, error, statusCode, problem, eventId, eventType, exchange, routingKey, attempts },
      ...{ replays, replay, size },
      firstAttempt: isoOf(firstAttempt),
      lastAttempt: isoOf(lastAttempt),
      deadLettered: isoOf(deadLettered),
      contentType: properties.contentType,
      messageId: properties.messageId,
    }),
    lastAttempts: lastAttempts.map(({ begunAt, result, tookMs }) => ({
      time: new Date(begunAt).toISOString(),
      result,
      tookMs,
    })),
    headers: shownHeaders(properties.headers, 0),
    ...(isRedacted ? { redacted: true } : {}),
  }
}

type Given<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

const given = <T extends object>(fields: T): Given<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>

const isoOf = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString()

/** What is nested deeper is not shown. */
const deepest = 4

const shownHeaders = (headers: Headers | undefined, depth: number): ShownHeader[] =>
  [...(headers?.entries() ?? [])].map(([name, value]) =>
    isMasked(name) ? { name, masked: true } : { name, value: shownValue(value, depth) },
  )

const shownValue = (value: Value, depth: number): ShownValue => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return String(value)
  if (Buffer.isBuffer(value)) return { bytes: value.toString('base64') }
  switch (value.is) {
    case 'timestamp':
      return timestampText(value.seconds)
    case 'decimal':
      return `${value.digits}e-${value.places}`
    case 'bad-text':
      return { bytes: value.bytes.toString('base64') }
    default:
      if (depth >= deepest) return `(nested too deep, ${value.bytes.length} bytes)`
      if (value.is === 'table') return { table: shownHeaders(new Headers(value.bytes), depth + 1) }
      return elementsOf(value.bytes).map((element) => shownValue(element, depth + 1))
  }
}

const timestampText = (seconds: number | bigint): string => {
  const ms = Number(seconds) * 1000
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${seconds} s`
}

const elementsOf = (array: Buffer): Value[] => {
  const elements: Value[] = []
  for (let at = 0; at < array.length; ) {
    const end = valueEnd(array, at)
    if (end === -1) break
    elements.push(valueAt(array, at, end))
    at = end
  }
  return elements
}
