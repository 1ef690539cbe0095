/** How many messages one consumer holds, over all the channels it has had. */
export class Holding {
  /** Messages handed out and not settled. */
  open = 0
  /** Messages settled, of which the broker does not know yet. */
  unsent = 0
  readonly prefetch: number
  #emptied: (() => void)[] = []

  constructor(prefetch: number) {
    this.prefetch = prefetch
  }

  /** The broker holds messages back from a consumer with a full prefetch: tell it before that happens. */
  get isDue(): boolean {
    return this.unsent * 2 >= this.prefetch
  }

  letGo(): void {
    if (--this.open > 0) return
    for (const resolve of this.#emptied.splice(0)) resolve()
  }

  /** Resolves once nothing is held. */
  emptied(): Promise<void> {
    return this.open === 0 ? Promise.resolve() : new Promise((resolve) => this.#emptied.push(resolve))
  }
}

/** A message of a channel that the broker holds as unacknowledged: a link of the chain in the order of delivery tags. */
export type Unacknowledged<Self> = {
  readonly holding: Holding
  state: 'open' | 'settled' | 'sent'
  previous: Self | undefined
  next: Self | undefined
}

/**
 * What one channel owes the broker. Settled messages are acknowledged with as few frames as is safe: all at the head
 * of the chain with one `multiple`, every other one by itself, so a slow message never gets acknowledged with its
 * neighbours and never holds them back. Work and memory follow the messages held, not those that have passed by.
 */
export class Acknowledgements<Message extends Unacknowledged<Message>> {
  #first: Message | undefined
  #last: Message | undefined
  #settled: Message[] = []

  get isEmpty(): boolean {
    return this.#first === undefined
  }

  /** A message arrived. Its delivery tag is above those of all before it. */
  add(message: Message): void {
    message.previous = this.#last
    if (this.#last) this.#last.next = message
    else this.#first = message
    this.#last = message
    message.holding.open++
  }

  /** The message is done with; the next flush acknowledges it. */
  settle(message: Message): void {
    message.state = 'settled'
    this.#settled.push(message)
    message.holding.unsent++
    message.holding.letGo()
  }

  /** The message was given back: there is nothing to acknowledge. */
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

  /** The channel is gone, and with it all that was held on it. */
  abandon(): void {
    for (let head = this.#first; head; head = this.#first) {
      if (head.state === 'settled') head.holding.unsent--
      else head.holding.letGo()
      this.#unlink(head)
    }
    this.#settled = []
  }

  // A link that is out points nowhere: old ones would keep new ones alive until the next full garbage collection.
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
