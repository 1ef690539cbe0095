import { valueEnd } from '../message/field-table.ts'
import type { Headers } from '../message/headers.ts'

/**
 * A header as it is exported: `t` is the letter of its type on the wire, and `v` its value where JSON can say it exactly, else
 * `b` its bytes in base64. A name that is not UTF-8 is in `nameBytes`.
 */
export type TypedHeader = {
  readonly name?: string
  readonly nameBytes?: string
  readonly t: string
  readonly v?: string | number | boolean
  readonly b?: string
}

/** Integers by their letter: how many bytes they have, and whether they are signed. */
const integers: Readonly<Record<string, readonly [bytes: number, signed: boolean]>> = {
  b: [1, true],
  B: [1, false],
  s: [2, true],
  u: [2, false],
  I: [4, true],
  i: [4, false],
}

export const typedHeaders = (headers: Headers): TypedHeader[] =>
  [...headers.places()].map(({ at, value, end }) => {
    const { raw } = headers
    const nameBytes = raw.subarray(at + 1, value)
    const name = nameBytes.toString('utf8')
    const named = Buffer.from(name).equals(nameBytes) ? { name } : { nameBytes: nameBytes.toString('base64') }
    const t = String.fromCharCode(raw[value] as number)
    const bytes = raw.subarray(value + 1, end)
    const v = readable(t, bytes)
    const isExact = v !== undefined && bytesOf(t, v)?.equals(bytes)
    return { ...named, t, ...(isExact ? { v } : { b: bytes.toString('base64') }) }
  })

/** The header table of these headers, without its length; `undefined` where they are not of that form. */
export const tableOf = (headers: readonly unknown[]): Buffer | undefined => {
  const parts: Buffer[] = []
  for (const header of headers) {
    if (typeof header !== 'object' || header === null) return undefined
    const { name, nameBytes, t, v, b } = header as Record<keyof TypedHeader, unknown>
    const named = typeof name === 'string' ? Buffer.from(name) : base64(nameBytes)
    if (named === undefined || named.length > 255 || typeof t !== 'string' || !/^[\x21-\x7e]$/.test(t)) return undefined
    const bytes = b === undefined ? bytesOf(t, v) : base64(b)
    if (bytes === undefined) return undefined
    const value = Buffer.concat([Buffer.from(t, 'latin1'), bytes])
    if (valueEnd(value, 0) !== value.length) return undefined
    parts.push(Buffer.of(named.length), named, value)
  }
  return Buffer.concat(parts)
}

const base64 = (text: unknown): Buffer | undefined =>
  typeof text === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined

const readable = (t: string, bytes: Buffer): TypedHeader['v'] => {
  const integer = integers[t]
  if (integer) return integer[1] ? bytes.readIntBE(0, integer[0]) : bytes.readUIntBE(0, integer[0])
  if (t === 'S') return bytes.toString('utf8', 4)
  if (t === 't') return bytes[0] === 1
  if (t === 'l' || t === 'L') return String(bytes.readBigInt64BE())
  if (t === 'T') return String(bytes.readBigUInt64BE())
  return t === 'd' ? exactDouble(bytes.readDoubleBE()) : undefined
}

/** JSON has no infinity, no NaN, and no negative zero. */
const exactDouble = (v: number): number | undefined => (Number.isFinite(v) && !Object.is(v, -0) ? v : undefined)

const bytesOf = (t: string, v: unknown): Buffer | undefined => {
  const integer = integers[t]
  if (integer) return typeof v === 'number' ? integerBytes(v, ...integer) : undefined
  if (t === 'V') return Buffer.alloc(0)
  if (t === 'S' && typeof v === 'string') {
    const text = Buffer.from(v)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(text.length)
    return Buffer.concat([length, text])
  }
  if (t === 't' && typeof v === 'boolean') return Buffer.of(v ? 1 : 0)
  if ('lLT'.includes(t) && typeof v === 'string' && /^-?\d{1,20}$/.test(v)) return longBytes(t, BigInt(v))
  if (t === 'd' && typeof v === 'number') {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(v)
    return bytes
  }
  return undefined
}

const integerBytes = (v: number, size: number, signed: boolean): Buffer | undefined => {
  const most = 2 ** (8 * size - (signed ? 1 : 0))
  if (!Number.isInteger(v) || v >= most || v < (signed ? -most : 0)) return undefined
  const bytes = Buffer.alloc(size)
  if (signed) bytes.writeIntBE(v, 0, size)
  else bytes.writeUIntBE(v, 0, size)
  return bytes
}

const longBytes = (t: string, v: bigint): Buffer | undefined => {
  const fits = t === 'T' ? BigInt.asUintN(64, v) : BigInt.asIntN(64, v)
  if (fits !== v) return undefined
  const bytes = Buffer.alloc(8)
  if (t === 'T') bytes.writeBigUInt64BE(v)
  else bytes.writeBigInt64BE(v)
  return bytes
}
