import { createHash } from 'node:crypto'

/** A delivery as the memory needs it: what identifies its message, and what became of it. */
export type Remembered = {
  readonly queue: string
  /** The same bytes whenever the message is delivered, however often. */
  bytes(): readonly Uint8Array[]
  /** `open`: somebody works on it. `done`: it needs nothing more but its acknowledgement. `back`: it is to be tried anew. */
  readonly fate: 'open' | 'done' | 'back'
}

type Entry<D> = { readonly delivery: D; readonly until: number; readonly isCertain: boolean }

const mostEntries = 10_000
/** A message that was in hand comes again for certain, but maybe elsewhere. */
const certainMs = 600_000
/** Whether an acknowledgement that was just sent has arrived is not known: its message may never come again. */
const perhapsMs = 60_000

/**
 * What became of the deliveries of connections that were lost, so that their messages are not processed twice when they come
 * again. It costs nothing while there was no loss. Messages with the same bytes are counted, not told apart.
 */
export class AgainMemory<D extends Remembered> {
  /** By queue, then by message. */
  readonly #queues = new Map<string, Map<string, Entry<D>[]>>()
  #size = 0

  /** Remembers a delivery at the loss of its connection; `isCertain` where the broker never had its acknowledgement. */
  remember(delivery: D, isCertain: boolean, now: number): void {
    if (this.#size >= mostEntries) this.forgetOld(now)
    if (this.#size >= mostEntries) return
    const messages = this.#queues.get(delivery.queue) ?? new Map<string, Entry<D>[]>()
    this.#queues.set(delivery.queue, messages)
    const key = keyOf(delivery)
    const entries = messages.get(key) ?? []
    messages.set(key, entries)
    entries.push({ delivery, isCertain, until: now + (isCertain ? certainMs : perhapsMs) })
    this.#size += 1
  }

  get isEmpty(): boolean {
    return this.#size === 0
  }

  /** The earlier delivery of a message that comes again, which is then forgotten. One that is open comes first. */
  recall(delivery: Remembered, now: number): D | undefined {
    const messages = this.#queues.get(delivery.queue)
    if (messages === undefined) return undefined
    const key = keyOf(delivery)
    const entries = messages.get(key)?.filter(({ until }) => until > now)
    if (entries === undefined) return undefined
    const found = entries.toSorted((a, b) => rank(a) - rank(b))[0]
    this.#replace(
      delivery.queue,
      key,
      entries.filter((entry) => entry !== found),
    )
    return found?.delivery
  }

  /**
   * A message arrived in this queue that was never delivered before. Returned messages come first, so an acknowledgement that
   * was on its way has arrived, and another message with the same bytes must not be taken for its message.
   */
  fresh(queue: string): void {
    for (const [key, entries] of this.#queues.get(queue) ?? [])
      this.#replace(
        queue,
        key,
        entries.filter(({ isCertain }) => isCertain),
      )
  }

  forgetOld(now: number): void {
    for (const [queue, messages] of this.#queues)
      for (const [key, entries] of messages)
        this.#replace(
          queue,
          key,
          entries.filter(({ until }) => until > now),
        )
  }

  #replace(queue: string, key: string, entries: Entry<D>[]): void {
    const messages = this.#queues.get(queue)
    if (messages === undefined) return
    this.#size += entries.length - (messages.get(key)?.length ?? 0)
    if (entries.length > 0) messages.set(key, entries)
    else messages.delete(key)
    if (messages.size === 0) this.#queues.delete(queue)
  }
}

const rank = ({ delivery, isCertain }: Entry<Remembered>): number =>
  delivery.fate === 'open' ? 0 : isCertain ? (delivery.fate === 'done' ? 1 : 2) : 3

const keyOf = ({ bytes }: Remembered): string => {
  const hash = createHash('sha256')
  for (const part of bytes()) hash.update(`${part.length} `).update(part)
  return hash.digest('base64')
}
