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
    case type.void:
      return 0
    case type.boolean:
    case type.int8:
    case type.uint8:
      return 1
    case type.int16:
    case type.uint16:
      return 2
    case type.int32:
    case type.uint32:
    case type.float:
      return 4
    case type.decimal:
      return 5
    case type.int64:
    case type.alsoInt64:
    case type.double:
    case type.timestamp:
      return 8
    case type.text:
    case type.bytes:
    case type.array:
    case type.table:
      return at + 5 > table.length ? -1 : 4 + table.readUInt32BE(at + 1)
    default:
      return -1
  }
}

/** Decodes the value whose type byte is at `at` and which {@link valueEnd} found to end at `end`. */
export const valueAt = (table: Buffer, at: number, end: number): Value => {
  const start = at + 1
  switch (table[at]) {
    case type.boolean:
      return table[start] !== 0
    case type.int8:
      return table.readInt8(start)
    case type.uint8:
      return table.readUInt8(start)
    case type.int16:
      return table.readInt16BE(start)
    case type.uint16:
      return table.readUInt16BE(start)
    case type.int32:
      return table.readInt32BE(start)
    case type.uint32:
      return table.readUInt32BE(start)
    case type.float:
      return table.readFloatBE(start)
    case type.double:
      return table.readDoubleBE(start)
    case type.int64:
    case type.alsoInt64:
      return exact(table.readBigInt64BE(start))
    case type.timestamp:
      return { is: 'timestamp', seconds: exact(table.readBigUInt64BE(start)) }
    case type.decimal:
      return { is: 'decimal', places: table.readUInt8(start), digits: table.readUInt32BE(start + 1) }
    case type.text:
      return textOf(table.subarray(start + 4, end))
    case type.bytes:
      return table.subarray(start + 4, end)
    case type.array:
      return { is: 'array', bytes: table.subarray(start + 4, end) }
    case type.table:
      return { is: 'table', bytes: table.subarray(start + 4, end) }
    default:
      return null
  }
}

const textOf = (bytes: Buffer): Value => {
  const text = bytes.toString()
  return text.includes('\uFFFD') && !isUtf8(bytes) ? { is: 'bad-text', bytes } : text
}

/** A 64-bit integer as a number where that is exact. */
export const exact = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value

const byteOf = (letter: string): number => letter.charCodeAt(0)

/** The type bytes. */
export const type = {
  boolean: byteOf('t'),
  int8: byteOf('b'),
  uint8: byteOf('B'),
  int16: byteOf('s'),
  uint16: byteOf('u'),
  int32: byteOf('I'),
  uint32: byteOf('i'),
  int64: byteOf('l'),
  alsoInt64: byteOf('L'),
  float: byteOf('f'),
  double: byteOf('d'),
  decimal: byteOf('D'),
  text: byteOf('S'),
  bytes: byteOf('x'),
  array: byteOf('A'),
  table: byteOf('F'),
  timestamp: byteOf('T'),
  void: byteOf('V'),
} as const
