import { isUtf8 } from 'node:buffer'

/**
 * A value of a header table, decoded without loss. RabbitMQ's types, which are not those of the AMQP 0-9-1 standard:
 * https://www.rabbitmq.com/docs/amqp-0-9-1-errata#section_3
 */
export type Value =
  | string
  | number
  /** A 64-bit integer that a number cannot hold exactly. */
  | bigint
  | boolean
  | null
  /** A byte array. */
  | Buffer
  /** Seconds since 1970. */
  | { readonly is: 'timestamp'; readonly seconds: number | bigint }
  | { readonly is: 'decimal'; readonly places: number; readonly digits: number }
  /** A long string that is not UTF-8. */
  | { readonly is: 'bad-text'; readonly bytes: Buffer }
  /** A table or an array, as it is: nobody descends into what a producer nested. */
  | { readonly is: 'table' | 'array'; readonly bytes: Buffer }

/**
 * The position after the value whose type byte is at `at`; -1 where the table ends before, or has an unknown type. Tables
 * and arrays are passed over by their length, so any depth costs the same.
 */
export const valueEnd = (table: Buffer, at: number): number => {
  const size = sizeOf(table, at)
  const end = at + 1 + size
  return size < 0 || end > table.length ? -1 : end
}

const sizeOf = (table: Buffer, at: number): number => {
  switch (table[at]) {
    case 0x56: // V, void
      return 0
    case 0x74: // t, boolean
    case 0x62: // b, int8
    case 0x42: // B, uint8
      return 1
    case 0x73: // s, int16
    case 0x75: // u, uint16
      return 2
    case 0x49: // I, int32
    case 0x69: // i, uint32
    case 0x66: // f, float
      return 4
    case 0x44: // D, decimal
      return 5
    case 0x6c: // l, int64
    case 0x4c: // L, the same
    case 0x64: // d, double
    case 0x54: // T, timestamp
      return 8
    case 0x53: // S, text
    case 0x78: // x, bytes
    case 0x41: // A, array
    case 0x46: // F, table
      return at + 5 > table.length ? -1 : 4 + table.readUInt32BE(at + 1)
    default:
      return -1
  }
}

/** Decodes the value whose type byte is at `at` and which {@link valueEnd} found to end at `end`. */
export const valueAt = (table: Buffer, at: number, end: number): Value => {
  const start = at + 1
  switch (table[at]) {
    case 0x74: // t, boolean
      return table[start] !== 0
    case 0x62: // b, int8
      return table.readInt8(start)
    case 0x42: // B, uint8
      return table.readUInt8(start)
    case 0x73: // s, int16
      return table.readInt16BE(start)
    case 0x75: // u, uint16
      return table.readUInt16BE(start)
    case 0x49: // I, int32
      return table.readInt32BE(start)
    case 0x69: // i, uint32
      return table.readUInt32BE(start)
    case 0x66: // f, float
      return table.readFloatBE(start)
    case 0x64: // d, double
      return table.readDoubleBE(start)
    case 0x6c: // l, int64
    case 0x4c: // L, the same
      return exact(table.readBigInt64BE(start))
    case 0x54: // T, timestamp
      return { is: 'timestamp', seconds: exact(table.readBigUInt64BE(start)) }
    case 0x44: // D, decimal
      return { is: 'decimal', places: table.readUInt8(start), digits: table.readUInt32BE(start + 1) }
    case 0x53: // S, text
      return textOf(table, start + 4, end)
    case 0x78: // x, bytes
      return table.subarray(start + 4, end)
    case 0x41: // A, array
      return { is: 'array', bytes: table.subarray(start + 4, end) }
    case 0x46: // F, table
      return { is: 'table', bytes: table.subarray(start + 4, end) }
    default:
      return null
  }
}

const textOf = (table: Buffer, start: number, end: number): Value => {
  const text = table.toString('utf8', start, end)
  if (!text.includes('\uFFFD')) return text
  const bytes = table.subarray(start, end)
  return isUtf8(bytes) ? text : { is: 'bad-text', bytes }
}

/** A 64-bit integer as a number where that is exact. */
export const exact = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value

/** Type bytes, for those who write a value. Where they are read they are literals, which makes one jump of a switch. */
export const type = { int32: 0x49, text: 0x53, bytes: 0x78, array: 0x41, table: 0x46 } as const
