import { type, valueEnd } from './field-table.ts'
import { field, fields, flagOf, type Properties } from './properties.ts'

/** A header of Waybill's own. Numbers are integers of 32 bits. */
export type OwnHeader = readonly [name: string, value: string | number | Buffer]

/** Whether to pass a header on: `at` is the position of its name's length in the table. */
export type IsKept = (table: Buffer, at: number, value: number, end: number) => boolean

/** Properties that the copy has of its own: how long it is kept, in ms, and its priority. */
export type OwnProperties = { readonly expiration?: string | undefined; readonly priority?: number | undefined }

/**
 * The properties of a copy, made of slices of the original's: header values are not decoded, so their types and bytes, and
 * their order, stay. Only the headers that `isKept` refuses are left out, `own` ones are appended, and of the properties:
 * `expiration`, which would end the wait early or drop the dead letter; `userId`, which the broker refuses from another
 * user; and `priority`, because a message of high priority at the head of a delay would hold up everybody's.
 * https://www.rabbitmq.com/docs/validated-user-id
 */
export const rewritten = (
  properties: Properties,
  isKept: IsKept,
  own: readonly OwnHeader[],
  { expiration, priority }: OwnProperties = {},
): Buffer => {
  const { raw, positions } = properties
  const table = properties.headers?.raw ?? nothing
  const kept = runsOf(table, isKept)
  let tableSize = 0
  for (let at = 0; at < kept.length; at += 2) tableSize += (kept[at + 1] as number) - (kept[at] as number)
  for (const each of own) tableSize += sizeOf(each)
  let size = 2 + 4 + tableSize + 1
  for (const { from, to } of slices) size += (positions[to] as number) - (positions[from] as number)
  if (expiration !== undefined) size += 1 + expiration.length
  if (priority !== undefined) size += 1

  const out = Buffer.allocUnsafe(size)
  const slice = ({ from, to }: Slice, at: number): number => at + raw.copy(out, at, positions[from], positions[to])
  let flags = flagsOf(positions)
  if (expiration !== undefined) flags |= flagOf(field.expiration)
  if (priority !== undefined) flags |= flagOf(field.priority)
  let at = out.writeUInt16BE(flags)
  at = slice(beforeHeaders, at)
  at = out.writeUInt32BE(tableSize, at)
  for (let run = 0; run < kept.length; run += 2) at += table.copy(out, at, kept[run], kept[run + 1])
  for (const each of own) at = write(out, each, at)
  at = out.writeUInt8(persistent, at)
  if (priority !== undefined) at = out.writeUInt8(priority, at)
  for (const each of afterHeaders) {
    at = slice(each, at)
    if (each === beforeExpiration && expiration !== undefined) {
      at = out.writeUInt8(expiration.length, at)
      at += out.write(expiration, at, 'latin1')
    }
  }
  return out
}

const persistent = 2
const nothing = Buffer.alloc(0)

/** Neighbouring properties that are passed on. */
type Slice = { readonly from: number; readonly to: number }

const beforeHeaders: Slice = { from: field.contentType, to: field.headers }
const beforeExpiration: Slice = { from: field.correlationId, to: field.expiration }
const afterHeaders: readonly Slice[] = [
  beforeExpiration,
  { from: field.messageId, to: field.userId },
  { from: field.appId, to: fields },
]
const slices: readonly Slice[] = [beforeHeaders, ...afterHeaders]

const flagsOf = (positions: readonly number[]): number => {
  let flags = flagOf(field.headers) | flagOf(field.deliveryMode)
  for (const { from, to } of slices) {
    for (let index = from; index < to; index++) {
      if (positions[index] !== positions[index + 1]) flags |= flagOf(index)
    }
  }
  return flags
}

/** Where the headers that are kept begin and end, neighbours joined: start, end, start, end, … */
const runsOf = (table: Buffer, isKept: IsKept): number[] => {
  const runs: number[] = []
  for (let at = 0; at < table.length; ) {
    const value = at + 1 + (table[at] as number)
    const end = valueEnd(table, value)
    if (end === -1) return runs
    if (isKept(table, at, value, end)) {
      if (runs.length > 0 && runs.at(-1) === at) runs[runs.length - 1] = end
      else runs.push(at, end)
    }
    at = end
  }
  return runs
}

const sizeOf = ([name, value]: OwnHeader): number =>
  1 + name.length + 1 + 4 + (typeof value === 'number' ? 0 : Buffer.byteLength(value))

const write = (out: Buffer, [name, value]: OwnHeader, start: number): number => {
  let at = out.writeUInt8(name.length, start)
  at += out.write(name, at, 'latin1')
  if (typeof value === 'number') {
    out[at] = type.int32
    return out.writeInt32BE(value, at + 1)
  }
  out[at] = typeof value === 'string' ? type.text : type.bytes
  const bytes = at + 5
  const length = typeof value === 'string' ? out.write(value, bytes) : value.copy(out, bytes)
  out.writeUInt32BE(length, at + 1)
  return bytes + length
}
