import { Violation } from './ended.ts'

/** Reads the fields of a payload one after the other, and nothing beyond its end. */
export class Cursor {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0

  over(bytes: Buffer, start: number, end: number): this {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    return this
  }

  octet(): number {
    return this.#bytes[this.#next(1)] as number
  }

  bit(): boolean {
    return (this.octet() & 1) === 1
  }

  short(): number {
    return this.#bytes.readUInt16BE(this.#next(2))
  }

  long(): number {
    return this.#bytes.readUInt32BE(this.#next(4))
  }

  /** Tags and sizes: beyond 2^53 they are not what we can count to. */
  longLong(): number {
    const value = this.long() * 4_294_967_296 + this.long()
    if (!Number.isSafeInteger(value)) throw new Violation('a number beyond 2^53')
    return value
  }

  text(): string {
    const length = this.octet()
    const start = this.#next(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  longText(): string {
    const length = this.long()
    const start = this.#next(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  /** The text of this name in a table; `undefined` where there is none before a value that is neither text, table nor bit. */
  tableText(wanted: string): string | undefined {
    const size = this.long()
    const end = this.#next(size) + size
    const inside = new Cursor().over(this.#bytes, end - size, end)
    while (inside.left > 0) {
      const name = inside.text()
      const type = String.fromCharCode(inside.octet())
      const text = type === 'S' || type === 'F' ? inside.longText() : type === 't' ? String(inside.bit()) : undefined
      if (text === undefined || name === wanted) return text
    }
    return undefined
  }

  /** A copy of all that is left, at the beginning of `target`. */
  restInto(target: Buffer): void {
    this.#bytes.copy(target, 0, this.#at, this.#end)
  }

  get left(): number {
    return this.#end - this.#at
  }

  #next(length: number): number {
    const at = this.#at
    if (at + length > this.#end) throw new Violation('a method that is shorter than its fields')
    this.#at = at + length
    return at
  }
}
