/** What was found out lately, each for so long at most. */
export class Remembered<T> {
  readonly #found = new Map<string, { readonly value: T; readonly until: number }>()
  readonly #forMs: number
  readonly #most: number

  constructor(forMs: number, most: number) {
    this.#forMs = forMs
    this.#most = most
  }

  get(key: string, nowMs: number): T | undefined {
    const known = this.#found.get(key)
    if (known === undefined || nowMs < known.until) return known?.value
    this.#found.delete(key)
    return undefined
  }

  /** `askedMs` is when it was asked for: the answer may have been true then, and no longer when it came. */
  set(key: string, value: T, askedMs: number): void {
    // The oldest is the first: what is set again goes to the end.
    this.#found.delete(key)
    for (const [oldest] of this.#found) {
      if (this.#found.size < this.#most) break
      this.#found.delete(oldest)
    }
    this.#found.set(key, { value, until: askedMs + this.#forMs })
  }
}
