import type { Cursor } from './cursor.ts'
import { Violation } from './ended.ts'
import { basicClass } from './methods.ts'

/** The bytes of a message: its properties as they stand on the wire (flags and list), and its body. */
export type Content = { readonly properties: Buffer; readonly content: Buffer }

/** A room for contents that are read over is not made larger than this for good. */
const mostKept = 1024 * 1024

// RabbitMQ stores no larger message than 512 MiB, whatever its max_message_size says.
const mostBytes = 2 ** 31

/**
 * Gathers the content of one channel, frame by frame. All of it is copied once, into a buffer of its own: what is read from
 * the socket is read over, and nobody who keeps a message keeps what came beside it. Where it `readsOver`, the buffer is that of
 * the next content too: very many that nobody keeps cost no memory then.
 */
export class Assembly {
  readonly #readsOver: boolean
  #kept = Buffer.alloc(0)
  #take: ((content: Content) => void) | undefined
  #whole: Buffer | undefined
  #split = 0
  #filled = 0

  constructor({ readsOver = false } = {}) {
    this.#readsOver = readsOver
  }

  /** A method came that a content follows. */
  begin(take: (content: Content) => void): void {
    this.expectNone()
    this.#take = take
  }

  expectNone(): void {
    if (this.#take) throw new Violation('a method where a content was due')
  }

  header(cursor: Cursor): void {
    if (this.#take === undefined || this.#whole) throw new Violation('a content header that was not due')
    if (cursor.short() !== basicClass) throw new Violation('a content of an unknown class')
    cursor.short()
    const bodySize = cursor.longLong()
    this.#split = cursor.left
    this.#whole = this.#room(this.#split + bodySize)
    cursor.restInto(this.#whole)
    this.#filled = this.#split
    this.#finish()
  }

  body(bytes: Buffer, start: number, end: number): void {
    const whole = this.#whole
    if (whole === undefined || this.#filled + end - start > whole.length) throw new Violation('a body that was not due')
    bytes.copy(whole, this.#filled, start, end)
    this.#filled += end - start
    this.#finish()
  }

  #room(length: number): Buffer {
    if (length > mostBytes) throw new Violation(`a content of ${length} bytes`)
    if (!this.#readsOver || length > mostKept) return Buffer.allocUnsafe(length)
    if (this.#kept.length < length) this.#kept = Buffer.allocUnsafeSlow(length)
    return this.#kept.subarray(0, length)
  }

  #finish(): void {
    const whole = this.#whole
    const take = this.#take
    if (take === undefined || whole === undefined || this.#filled < whole.length) return
    this.#take = undefined
    this.#whole = undefined
    take({ properties: whole.subarray(0, this.#split), content: whole.subarray(this.#split) })
  }
}
