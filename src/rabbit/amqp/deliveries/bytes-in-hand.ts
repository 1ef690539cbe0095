import { totalmem } from 'node:os'

/** What stops and starts the reading of one connection. */
export type Tap = { pauseReading(): void; resumeReading(): void }

const patienceMs = 10_000

/**
 * The bytes of all messages in hand, which a prefetch does not bound: it counts messages, and one may have 16 MiB or more. Over
 * the limit nothing more is read from the connections that bring messages, until some are settled: the broker keeps the others.
 *
 * Messages may be held for long, for a subscriber that is slow or copies that are not stored. So that they do not keep everybody
 * else waiting for ever, a quarter of the limit more is let in whenever reading has paused for 10 s.
 */
export class BytesInHand {
  readonly limit: number
  readonly #patienceMs: number
  #bytes = 0
  #allowed: number
  readonly #paused = new Set<Tap>()
  #timer: NodeJS.Timeout | undefined

  constructor(limit: number, patience = patienceMs) {
    this.limit = limit
    this.#patienceMs = patience
    this.#allowed = limit
  }

  get bytes(): number {
    return this.#bytes
  }

  add(bytes: number, tap: Tap): void {
    this.#bytes += bytes
    if (this.#bytes <= this.#allowed || this.#paused.has(tap)) return
    this.#paused.add(tap)
    tap.pauseReading()
    this.#timer ??= setInterval(() => this.#allowMore(), this.#patienceMs).unref()
  }

  remove(bytes: number): void {
    this.#bytes -= bytes
    if (this.#bytes <= this.limit) this.#allowed = this.limit
    if (this.#paused.size > 0 && this.#bytes <= this.#allowed) this.#resume()
  }

  #allowMore(): void {
    this.#allowed = this.#bytes + this.limit / 4
    this.#resume()
  }

  #resume(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    const taps = [...this.#paused]
    this.#paused.clear()
    for (const tap of taps) tap.resumeReading()
  }
}

/** A quarter of the memory that this process may have, at least 64 MiB. */
export const defaultBytesInHand = (): number =>
  Math.max(64 * 1024 * 1024, Math.min(process.constrainedMemory() || totalmem(), totalmem()) / 4)
