import type { End } from './ended.ts'

/** What became of one message that was published with confirms. */
export type Confirm = (outcome: 'confirmed' | 'refused' | End) => void

/** The confirms that the broker owes one channel, in the order of publishing. */
export class Confirms {
  readonly #owed = new Map<number, Confirm>()
  #last = 0

  get size(): number {
    return this.#owed.size
  }

  add(confirm: Confirm): void {
    this.#owed.set(++this.#last, confirm)
  }

  settle(tag: number, multiple: boolean, outcome: 'confirmed' | 'refused'): void {
    if (!multiple) {
      this.#settleOne(tag, outcome)
      return
    }
    for (const owed of this.#owed.keys()) {
      // Tag 0 stands for all.
      if (owed > tag && tag !== 0) break
      this.#settleOne(owed, outcome)
    }
  }

  /** The channel is over: nobody will ever know. */
  abandon(end: End): void {
    const owed = [...this.#owed.values()]
    this.#owed.clear()
    for (const confirm of owed) confirm(end)
  }

  #settleOne(tag: number, outcome: 'confirmed' | 'refused'): void {
    const confirm = this.#owed.get(tag)
    this.#owed.delete(tag)
    confirm?.(outcome)
  }
}
