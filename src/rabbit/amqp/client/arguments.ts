import { UnencodableError } from './ended.ts'

/** A table of arguments that we write ourselves: of a declaration, or of the client. */
export type Table = { readonly [name: string]: unknown }

const shortText = 255

/** The bytes of a short string. @throws {UnencodableError} */
export const shortBytes = (text: string): Buffer => {
  const bytes = Buffer.from(text)
  if (bytes.length > shortText) {
    throw new UnencodableError(`${JSON.stringify(text.slice(0, 40))}… has ${bytes.length} bytes, and may have 255`)
  }
  return bytes
}

/** The payload of a method, written field by field. */
export class Payload {
  readonly #parts: Buffer[] = []

  constructor(id: number) {
    this.long(id)
  }

  octet(value: number): this {
    return this.#add(Buffer.of(value))
  }

  short(value: number): this {
    const bytes = Buffer.allocUnsafe(2)
    bytes.writeUInt16BE(value)
    return this.#add(bytes)
  }

  long(value: number): this {
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeUInt32BE(value)
    return this.#add(bytes)
  }

  longLong(value: number): this {
    return this.long(Math.floor(value / 4_294_967_296)).long(value % 4_294_967_296)
  }

  /** @throws {UnencodableError} when it has more than 255 bytes */
  text(value: string): this {
    const bytes = shortBytes(value)
    return this.octet(bytes.length).#add(bytes)
  }

  longText(value: string): this {
    const bytes = Buffer.from(value)
    return this.long(bytes.length).#add(bytes)
  }

  /** Up to eight of them: they share an octet. */
  bits(...flags: boolean[]): this {
    return this.octet(flags.reduce((octet, flag, index) => octet | (flag ? 1 << index : 0), 0))
  }

  /** @throws {UnencodableError} for a name or a value that AMQP has no form for */
  table(value: Table): this {
    const bytes = tableBytes(value)
    return this.long(bytes.length).#add(bytes)
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #add(bytes: Buffer): this {
    this.#parts.push(bytes)
    return this
  }
}

const tableBytes = (table: Table): Buffer => {
  const parts: Buffer[] = []
  for (const [name, value] of Object.entries(table)) {
    if (value === undefined) continue
    const bytes = shortBytes(name)
    parts.push(Buffer.of(bytes.length), bytes, ...valueParts(value))
  }
  return Buffer.concat(parts)
}

const valueParts = (value: unknown): Buffer[] => {
  if (typeof value === 'string') return sized('S', Buffer.from(value))
  if (typeof value === 'boolean') return [Buffer.from('t'), Buffer.of(value ? 1 : 0)]
  if (typeof value === 'number' && Number.isFinite(value)) return numberParts(value)
  if (value === null) return [Buffer.from('V')]
  if (Array.isArray(value)) return sized('A', Buffer.concat(value.flatMap(valueParts)))
  if (typeof value === 'object') return sized('F', tableBytes(value as Table))
  throw new UnencodableError(`AMQP has no form for an argument of type ${typeof value}`)
}

const numberParts = (value: number): Buffer[] => {
  const bytes = Buffer.allocUnsafe(8)
  if (!Number.isSafeInteger(value)) {
    bytes.writeDoubleBE(value)
    return [Buffer.from('d'), bytes]
  }
  if (value === (value | 0)) {
    bytes.writeInt32BE(value)
    return [Buffer.from('I'), bytes.subarray(0, 4)]
  }
  bytes.writeBigInt64BE(BigInt(value))
  return [Buffer.from('l'), bytes]
}

const sized = (type: string, bytes: Buffer): Buffer[] => {
  const size = Buffer.allocUnsafe(4)
  size.writeUInt32BE(bytes.length)
  return [Buffer.from(type), size, bytes]
}
