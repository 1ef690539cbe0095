/** How many messages one consumer holds, over all its channels so far. */
export class Holding {
  /** Messages handed out and not settled. */
  open = 0
  /** Messages settled that were not acknowledged to the broker yet. */
  unsent = 0
  readonly prefetch: number
  /** Called after each message settled or lost, while there is one that waits for that. */
  onLetGo: (() => void) | undefined = undefined
  #emptied: (() => void)[] = []

  constructor(prefetch: number) {
    this.prefetch = prefetch
  }

  /** Whether to acknowledge now: the broker holds messages back from a consumer with a full prefetch. */
  get isDue(): boolean {
    return this.unsent * 2 >= this.prefetch
  }

  letGo(): void {
    this.open -= 1
    this.onLetGo?.()
    if (this.open > 0) return
    for (const resolve of this.#emptied.splice(0)) resolve()
  }

  /** Resolves once nothing is held. */
  emptied(): Promise<void> {
    return this.open === 0 ? Promise.resolve() : new Promise((resolve) => this.#emptied.push(resolve))
  }
}

/** A message that the broker holds as unacknowledged on a channel, linked in the order of delivery tags. */
export type Unacknowledged<Self> = {
  readonly holding: Holding
  state: 'open' | 'settled' | 'sent'
  previous: Self | undefined
  next: Self | undefined
}

/**
 * The acknowledgements that one channel owes the broker. Settled messages are acknowledged with as few frames as is safe:
 * all at the head of the list with one `multiple`, every other one alone, so a slow message is never acknowledged with its
 * neighbours and never holds them back. Work and memory grow with the messages held, not with those settled before.
 */
export class Acknowledgements<Message extends Unacknowledged<Message>> {
  #first: Message | undefined
  #last: Message | undefined
  #settled: Message[] = []

  get isEmpty(): boolean {
    return this.#first === undefined
  }

  /** Adds a message that arrived. Its delivery tag is above those of all before it. */
  add(message: Message): void {
    message.previous = this.#last
    if (this.#last) this.#last.next = message
    else this.#first = message
    this.#last = message
    message.holding.open++
  }

  /** Marks a message as settled; the next flush acknowledges it. */
  settle(message: Message): void {
    message.state = 'settled'
    this.#settled.push(message)
    message.holding.unsent++
    message.holding.letGo()
  }

  /** Removes a message that is requeued: there is nothing to acknowledge. */
  remove(message: Message): void {
    this.#unlink(message)
    message.holding.letGo()
  }

  /** Acknowledges everything settled, each message once: `upTo` means all messages up to this one. */
  flush(send: (message: Message, upTo: boolean) => void): void {
    let last: Message | undefined
    let sent = 0
    for (let head = this.#first; head?.state === 'settled'; head = this.#first) {
      this.#unlink(head)
      head.holding.unsent--
      last = head
      sent++
    }
    if (last) send(last, sent > 1)
    const settled = this.#settled
    this.#settled = []
    for (const message of settled) {
      if (message.state !== 'settled') continue
      this.#unlink(message)
      message.holding.unsent--
      send(message, false)
    }
  }

  /** What the broker holds as unacknowledged, as far as we know. */
  all(): Message[] {
    const all: Message[] = []
    for (let each = this.#first; each; each = each.next) all.push(each)
    return all
  }

  /** Drops everything: the channel is closed. */
  abandon(): void {
    for (let head = this.#first; head; head = this.#first) {
      if (head.state === 'settled') head.holding.unsent--
      else head.holding.letGo()
      this.#unlink(head)
    }
    this.#settled = []
  }

  // Its pointers are cleared: an old message would keep newer ones alive until the next full garbage collection.
  #unlink(message: Message): void {
    if (message.previous) message.previous.next = message.next
    else this.#first = message.next
    if (message.next) message.next.previous = message.previous
    else this.#last = message.previous
    message.previous = undefined
    message.next = undefined
    message.state = 'sent'
  }
}
