import { exact } from './field-table.ts'
import { Headers } from './headers.ts'

/**
 * The properties of a message, over the raw bytes of its content header: property flags and property list. They are parsed
 * when first asked for; each getter decodes one property. Never throws, whatever the producer wrote: where the list is
 * broken, it ends. A text that is not UTF-8 has U+FFFD in place of what could not be decoded.
 */
export class Properties {
  readonly raw: Buffer
  #index: Index | undefined
  #headers: Headers | undefined

  constructor(raw: Buffer) {
    this.raw = raw
  }

  get contentType(): string | undefined {
    return this.#text(field.contentType)
  }

  get contentEncoding(): string | undefined {
    return this.#text(field.contentEncoding)
  }

  get headers(): Headers | undefined {
    if (this.#headers === undefined) {
      const { positions } = this.#found
      const [start, end] = [positions[field.headers] as number, positions[field.headers + 1] as number]
      if (start !== end) this.#headers = new Headers(this.raw.subarray(start + 4, end))
    }
    return this.#headers
  }

  get priority(): number | undefined {
    return this.#bytes(field.priority)?.[0]
  }

  get correlationId(): string | undefined {
    return this.#text(field.correlationId)
  }

  get replyTo(): string | undefined {
    return this.#text(field.replyTo)
  }

  /** The time to live in ms, as text. */
  get expiration(): string | undefined {
    return this.#text(field.expiration)
  }

  get messageId(): string | undefined {
    return this.#text(field.messageId)
  }

  /** Seconds since 1970. */
  get timestamp(): number | bigint | undefined {
    const bytes = this.#bytes(field.timestamp)
    return bytes && exact(bytes.readBigUInt64BE())
  }

  get type(): string | undefined {
    return this.#text(field.type)
  }

  get userId(): string | undefined {
    return this.#text(field.userId)
  }

  get appId(): string | undefined {
    return this.#text(field.appId)
  }

  /** Whether the list or the header table in it could not be read to its end. */
  get isBroken(): boolean {
    return this.#found.isBroken || this.headers?.isBroken === true
  }

  /** Where each property begins in {@link raw}, in the order of {@link field}; equal positions where it is not there. */
  get positions(): readonly number[] {
    return this.#found.positions
  }

  #text(index: number): string | undefined {
    const { positions } = this.#found
    const start = positions[index] as number
    const end = positions[index + 1] as number
    return start === end ? undefined : this.raw.toString('utf8', start + 1, end)
  }

  #bytes(index: number): Buffer | undefined {
    const { positions } = this.#found
    const start = positions[index] as number
    const end = positions[index + 1] as number
    return start === end ? undefined : this.raw.subarray(start, end)
  }

  get #found(): Index {
    this.#index ??= indexOf(this.raw)
    return this.#index
  }
}

/** The properties by their place in the list; the flag of the first is the highest bit. */
export const field = {
  contentType: 0,
  contentEncoding: 1,
  headers: 2,
  deliveryMode: 3,
  priority: 4,
  correlationId: 5,
  replyTo: 6,
  expiration: 7,
  messageId: 8,
  timestamp: 9,
  type: 10,
  userId: 11,
  appId: 12,
  /** Reserved, and without a meaning. */
  clusterId: 13,
} as const

export const fields = 14

export const flagOf = (index: number): number => 0x8000 >> index

type Index = { readonly positions: number[]; readonly isBroken: boolean }

const indexOf = (raw: Buffer): Index => {
  const flags = raw.length < 2 ? 0 : raw.readUInt16BE()
  let at = Math.min(2, raw.length)
  const positions = [at]
  // The two lowest bits mean more flags, and properties that do not exist.
  let isBroken = raw.length < 2 || (flags & 3) !== 0
  for (let index = 0; index < fields; index++) {
    if (!isBroken && (flags & flagOf(index)) !== 0) {
      const end = at + sizeOf(raw, index, at)
      if (end > raw.length) isBroken = true
      else at = end
    }
    positions.push(at)
  }
  return { positions, isBroken: isBroken || at !== raw.length }
}

const sizeOf = (raw: Buffer, index: number, at: number): number => {
  switch (index) {
    case field.headers:
      return at + 4 > raw.length ? 4 : 4 + raw.readUInt32BE(at)
    case field.deliveryMode:
    case field.priority:
      return 1
    case field.timestamp:
      return 8
    default:
      return 1 + (raw[at] ?? 0)
  }
}
