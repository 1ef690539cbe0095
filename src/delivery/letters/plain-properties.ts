import { field, fields, flagOf, type Properties } from '../message/properties.ts'

const texts = [
  'contentType',
  'contentEncoding',
  'correlationId',
  'replyTo',
  'expiration',
  'messageId',
  'type',
  'userId',
  'appId',
  'clusterId',
] as const
const numbers = ['deliveryMode', 'priority'] as const

/** The properties but for the headers, as they are exported: texts, numbers, and the seconds of `timestamp` as digits. */
export const plainProperties = ({ raw, positions }: Properties): Record<string, string | number> => {
  const found: Record<string, string | number> = {}
  for (const [name, index] of Object.entries(field)) {
    const bytes = raw.subarray(positions[index], positions[index + 1])
    if (name === 'headers' || bytes.length === 0) continue
    if (name === 'timestamp') found[name] = String(bytes.readBigUInt64BE())
    else found[name] = isNumber(name) ? (bytes[0] as number) : bytes.toString('utf8', 1)
  }
  return found
}

const isNumber = (name: string): boolean => numbers.some((each) => each === name)

/** The bytes of these properties with this header table; `undefined` where they are not of that form. */
export const propertiesOf = (
  plain: Readonly<Record<string, unknown>>,
  table: Buffer | undefined,
): Buffer | undefined => {
  if (Object.keys(plain).some((name) => !(name in field) || name === 'headers')) return undefined
  const parts: Buffer[] = []
  let flags = 0
  for (const [name, index] of Object.entries(field)) {
    const bytes = index === field.headers ? table && withLength(table) : partOf(name, plain[name])
    if (bytes === null) return undefined
    if (bytes === undefined) continue
    flags |= flagOf(index)
    parts.push(bytes)
  }
  const head = Buffer.alloc(2)
  head.writeUInt16BE(flags)
  return Buffer.concat([head, ...parts])
}

/** `null` for what the property cannot be. */
const partOf = (name: string, value: unknown): Buffer | undefined | null => {
  if (value === undefined) return undefined
  if (isNumber(name))
    return Number.isInteger(value) && (value as number) >>> 8 === 0 ? Buffer.of(value as number) : null
  if (typeof value !== 'string') return null
  if (name === 'timestamp') return /^\d{1,20}$/.test(value) && BigInt(value) < 2n ** 64n ? seconds(BigInt(value)) : null
  const bytes = Buffer.from(value)
  return texts.some((each) => each === name) && bytes.length < 256
    ? Buffer.concat([Buffer.of(bytes.length), bytes])
    : null
}

const seconds = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

const withLength = (table: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(table.length)
  return Buffer.concat([length, table])
}

/** The bytes without some headers and some properties; a table from which all was taken is left out too. */
export const without = (
  properties: Properties,
  isLeftOut: (name: string) => boolean,
  ...names: readonly (keyof typeof field)[]
): Buffer => {
  const { raw, positions, headers } = properties
  const places = [...(headers?.places() ?? [])]
  const kept = places.filter(({ name }) => !isLeftOut(name))
  if (properties.isBroken || (kept.length === places.length && names.every((name) => !has(properties, name))))
    return raw
  const parts: Buffer[] = []
  let flags = 0
  for (let index = 0; index < fields; index++) {
    const bytes = raw.subarray(positions[index], positions[index + 1])
    if (bytes.length === 0 || names.some((name) => field[name] === index)) continue
    if (index === field.headers && places.length > 0 && kept.length === 0) continue
    const table = headers ? Buffer.concat(kept.map(({ at, end }) => headers.raw.subarray(at, end))) : bytes
    flags |= flagOf(index)
    parts.push(index === field.headers ? withLength(table) : bytes)
  }
  const head = Buffer.alloc(2)
  head.writeUInt16BE(flags)
  return Buffer.concat([head, ...parts])
}

/** The bytes with another header table. */
export const withTable = ({ raw, positions }: Properties, table: Buffer): Buffer =>
  Buffer.concat([
    raw.subarray(0, positions[field.headers]),
    withLength(table),
    raw.subarray(positions[field.headers + 1]),
  ])

const has = ({ positions }: Properties, name: keyof typeof field): boolean =>
  positions[field[name]] !== positions[field[name] + 1]
