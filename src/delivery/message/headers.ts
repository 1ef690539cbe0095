import { type Value, valueAt, valueEnd } from './field-table.ts'

/**
 * The header table of a message, over its raw bytes. Only what is asked for is decoded. Never throws, whatever the producer
 * wrote: where a table is broken, it ends.
 */
export class Headers {
  /** Without the length before it. */
  readonly raw: Buffer
  #index: Index | undefined

  constructor(raw: Buffer) {
    this.raw = raw
  }

  /** Whether the table could not be read to its end: a length beyond it, or an unknown type. */
  get isBroken(): boolean {
    return this.#found.isBroken
  }

  /** In the order of the table; a name may be there more than once. */
  get names(): readonly string[] {
    return this.#found.names
  }

  /** The value of a header; `undefined` where there is none. Of several with one name it is the first. */
  get(name: string): Value | undefined {
    const at = this.#found.names.indexOf(name)
    return at === -1 ? undefined : this.at(at)
  }

  /** The value of a header that is a text. */
  text(name: string): string | undefined {
    const value = this.get(name)
    return typeof value === 'string' ? value : undefined
  }

  has(name: string): boolean {
    return this.#found.names.includes(name)
  }

  /** The value of the header at a position in {@link names}. */
  at(index: number): Value | undefined {
    const { starts, ends } = this.#found
    const start = starts[index]
    return start === undefined ? undefined : valueAt(this.raw, start, ends[index] as number)
  }

  /** Names and values, each value decoded when it is reached. */
  *entries(): Generator<[name: string, value: Value]> {
    for (const [index, name] of this.names.entries()) yield [name, this.at(index) as Value]
  }

  /** Where each header lies in {@link raw}: its name's length at `at`, the type byte of its value at `value`. */
  *places(): Generator<{ name: string; at: number; value: number; end: number }> {
    const { names, starts, ends } = this.#found
    for (const [index, name] of names.entries()) {
      yield { name, at: ends[index - 1] ?? 0, value: starts[index] as number, end: ends[index] as number }
    }
  }

  get #found(): Index {
    this.#index ??= indexOf(this.raw)
    return this.#index
  }
}

type Index = {
  readonly names: string[]
  /** Where each value begins, with its type byte, and where it ends. */
  readonly starts: number[]
  readonly ends: number[]
  readonly isBroken: boolean
}

const indexOf = (table: Buffer): Index => {
  const names: string[] = []
  const starts: number[] = []
  const ends: number[] = []
  for (let at = 0; at < table.length; ) {
    const start = at + 1 + (table[at] as number)
    const end = valueEnd(table, start)
    if (end === -1) return { names, starts, ends, isBroken: true }
    names.push(table.toString('utf8', at + 1, start))
    starts.push(start)
    ends.push(end)
    at = end
  }
  return { names, starts, ends, isBroken: false }
}
