import { createHash } from 'node:crypto'

/**
 * What became of a delivery whose connection was lost. `open`: somebody works on it. `done`: it needs nothing more but an
 * acknowledgement. `back`: nobody works on it, and it is to be delivered anew.
 */
export type Fate = { readonly is: 'open' | 'done' | 'back' }

/** A message by its queue, and by bytes that are the same whenever it is delivered from there. */
export type MessageKey = { readonly queue: string; bytes(): readonly Uint8Array[] }

type Entry<F> = { readonly fate: F; readonly until: number; readonly isCertain: boolean }

const mostEntries = 10_000
/** A message that was in hand comes again for certain, but maybe elsewhere. */
const certainMs = 600_000
/** Whether an acknowledgement that was just sent has arrived is not known: its message may never come again. */
const perhapsMs = 60_000

/**
 * The fates of deliveries whose connections were lost, so that their messages are not processed twice when they come again.
 * It costs nothing while there was no loss. Messages with the same bytes are counted, not told apart.
 */
export class AgainMemory<F extends Fate> {
  /** By queue, then by message. */
  readonly #queues = new Map<string, Map<string, Entry<F>[]>>()
  /** The queues with entries that are not certain. */
  readonly #perhaps = new Set<string>()
  #size = 0

  /** Remembers a delivery at the loss of its connection; `isCertain` where the broker never had its acknowledgement. */
  remember(message: MessageKey, fate: F, isCertain: boolean, now: number): void {
    if (this.#size >= mostEntries) this.#forgetOld(now)
    if (this.#size >= mostEntries) return
    const messages = this.#queues.get(message.queue) ?? new Map<string, Entry<F>[]>()
    this.#queues.set(message.queue, messages)
    const key = hashOf(message)
    const entries = messages.get(key) ?? []
    messages.set(key, entries)
    entries.push({ fate, isCertain, until: now + (isCertain ? certainMs : perhapsMs) })
    this.#size += 1
    if (!isCertain) this.#perhaps.add(message.queue)
  }

  get isEmpty(): boolean {
    return this.#size === 0
  }

  /** What became of a message that comes again, which is then forgotten. Of several, one that is open comes first. */
  recall(message: MessageKey, now: number): F | undefined {
    const messages = this.#queues.get(message.queue)
    if (messages === undefined) return undefined
    const key = hashOf(message)
    const entries = messages.get(key)?.filter(({ until }) => until > now)
    if (entries === undefined) return undefined
    const found = entries.toSorted((a, b) => rank(a) - rank(b))[0]
    this.#replace(
      message.queue,
      key,
      entries.filter((entry) => entry !== found),
    )
    return found?.fate
  }

  /**
   * A message arrived in this queue that was never delivered before. Returned messages come first, so an acknowledgement that
   * was on its way has arrived, and another message with the same bytes must not be taken for its message.
   */
  fresh(queue: string): void {
    if (this.#perhaps.delete(queue)) this.#keep(queue, ({ isCertain }) => isCertain)
  }

  #forgetOld(now: number): void {
    for (const queue of this.#queues.keys()) this.#keep(queue, ({ until }) => until > now)
  }

  #keep(queue: string, isKept: (entry: Entry<F>) => boolean): void {
    for (const [key, entries] of this.#queues.get(queue) ?? []) this.#replace(queue, key, entries.filter(isKept))
  }

  #replace(queue: string, key: string, entries: Entry<F>[]): void {
    const messages = this.#queues.get(queue)
    if (messages === undefined) return
    this.#size += entries.length - (messages.get(key)?.length ?? 0)
    if (entries.length > 0) messages.set(key, entries)
    else messages.delete(key)
    if (messages.size === 0) this.#queues.delete(queue)
  }
}

const rank = ({ fate, isCertain }: Entry<Fate>): number =>
  fate.is === 'open' ? 0 : isCertain ? (fate.is === 'done' ? 1 : 2) : 3

const hashOf = (message: MessageKey): string => {
  const hash = createHash('sha256')
  for (const part of message.bytes()) hash.update(`${part.length} `).update(part)
  return hash.digest('base64')
}
