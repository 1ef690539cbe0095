import { momentsOf } from '../../async/effects.ts'
import type { Copy } from '../../delivery/message/copy.ts'
import type { Channel } from './client/channel.ts'
import { type End, UnencodableError } from './client/ended.ts'
import { selectConfirms } from './client/operations.ts'
import type { Wire } from './client/wire.ts'
import { reasonOf } from './connection.ts'
import { PublishError } from './publish-error.ts'

export type PublishChannelOptions = {
  /** After this a copy counts as late: its confirm is still owed, but whoever waits is told. */
  readonly patienceMs: number
  /** After this nothing is expected any more of a channel with late copies: it is closed. */
  readonly giveUpMs: number
  /** The broker has this long to open the channel, else it does not answer on this connection at all. */
  readonly openMs: number
  /** While true the broker reads nothing, so nothing counts as late. */
  isBlocked(): boolean
  /** The first copy is late: copies for the exchange need another channel. */
  becameStale(): void
  /** The broker did not open the channel. */
  hangs(): void
}

type Unconfirmed = {
  readonly routingKey: string
  readonly sinceMs: number
  isSent: boolean
  isReturned: boolean
  settle(error?: PublishError): void
}

const published = momentsOf('copy-published')
const confirmed = momentsOf('copy-confirmed')

const notFound = 404

/**
 * A channel with confirms for the copies of one exchange. A confirm stays owed as long as the channel lives. One that has a
 * late copy takes no more of them, so that they do not wait for what is stuck on it; it closes once nothing is owed. So does one
 * on which a copy was refused after a while: RabbitMQ 3 refuses there for ever, also when the queue has no limit any more.
 */
export class PublishChannel {
  readonly wire: Wire
  readonly patienceMs: number
  readonly #exchange: string
  readonly #options: PublishChannelOptions
  readonly #channel: Channel
  readonly #opened: Promise<void>
  readonly #unconfirmed = new Set<Unconfirmed>()
  readonly #late = new Set<Unconfirmed>()
  #isOpen = false
  #isStale = false
  #isWornOut = false
  readonly #sinceMs = performance.now()
  #patientSinceMs = 0
  #timer: NodeJS.Timeout | undefined

  /** @throws {EndedError} */
  constructor(wire: Wire, exchange: string, options: PublishChannelOptions) {
    this.wire = wire
    this.patienceMs = options.patienceMs
    this.#exchange = exchange
    this.#options = options
    this.#channel = wire.newChannel({
      returned: ({ routingKey }) => this.#returned(routingKey),
      ended: (end) => this.#abandon(this.#loss(end)),
    })
    this.#opened = selectConfirms(this.#channel).then(
      () => {
        this.#isOpen = true
      },
      () => undefined,
    )
    this.#awaitOpening()
  }

  /** Whether it accepts more copies. */
  get isUsable(): boolean {
    return this.#channel.end === undefined && !this.#isStale && !this.#isWornOut
  }

  /** Whether a copy on it is, or was, late. */
  get isStale(): boolean {
    return this.#isStale
  }

  /** @throws {PublishError} */
  publish(copy: Copy): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: PublishError) => (error ? reject(error) : resolve())
      const sinceMs = performance.now()
      const unconfirmed = { routingKey: copy.routingKey, sinceMs, isSent: false, isReturned: false, settle }
      this.#unconfirmed.add(unconfirmed)
      this.#timer ??= setTimeout(() => this.#look(), this.patienceMs / 4)
      void this.#send(copy, unconfirmed)
    })
  }

  async #send({ exchange, routingKey, properties, body }: Copy, unconfirmed: Unconfirmed): Promise<void> {
    if (!this.#isOpen) await this.#opened
    for (let { room } = this.wire; room; { room } = this.wire) await room
    // The channel is over, or was given up.
    if (!this.#unconfirmed.has(unconfirmed)) return
    const message = { exchange, routingKey, properties, body, mandatory: true }
    try {
      unconfirmed.isSent = true
      published.before.publish(undefined)
      this.#channel.publish(message, (outcome) => this.#confirmed(unconfirmed, outcome))
      published.after.publish(undefined)
    } catch (cause) {
      const kind = cause instanceof UnencodableError ? 'unencodable' : 'lost'
      this.#settle(unconfirmed, new PublishError(kind, `the copy was not sent: ${reasonOf(cause)}`, { cause }))
    }
  }

  #awaitOpening(): void {
    const timer = setTimeout(() => {
      if (this.#options.isBlocked()) this.#awaitOpening()
      else this.#options.hangs()
    }, this.#options.openMs)
    void this.#opened.then(() => clearTimeout(timer))
  }

  // A return identifies the message by its exchange and routing key only, and copies must not be marked. So a return counts
  // for every copy under way with that key: the broker sends the return of a message before its confirm, hence the right one
  // is always among them. The others differ only if the queue was deleted or created at that moment; they are then delivered
  // twice, which is allowed, where a wrong guess would lose one, which is not.
  #returned(routingKey: string): void {
    for (const copy of this.#unconfirmed) {
      if (copy.isSent && copy.routingKey === routingKey) copy.isReturned = true
    }
  }

  #confirmed(copy: Unconfirmed, outcome: 'confirmed' | 'refused' | End): void {
    if (outcome === 'refused') {
      // Not each time: where a queue is full, copies for it are refused again and again.
      if (performance.now() - this.#sinceMs >= this.patienceMs) this.#isWornOut = true
      this.#settle(copy, new PublishError('refused', `${this.#target(copy)} refused the copy: it is full or failing`))
    } else if (outcome === 'confirmed' && copy.isReturned) {
      this.#settle(copy, new PublishError('returned', `${this.#target(copy)} has no matching queue`))
    } else if (outcome === 'confirmed') {
      confirmed.before.publish(undefined)
      this.#settle(copy)
      confirmed.after.publish(undefined)
    }
  }

  #settle(copy: Unconfirmed, error?: PublishError): void {
    if (!this.#unconfirmed.delete(copy)) return
    this.#late.delete(copy)
    copy.settle(error)
    if ((this.#isStale || this.#isWornOut) && this.#unconfirmed.size === 0) void this.#channel.close()
  }

  /** Looks for copies that are late, and for those that have been for too long. */
  #look(): void {
    this.#timer = undefined
    const now = performance.now()
    if (this.#options.isBlocked()) this.#patientSinceMs = now
    for (const copy of this.#unconfirmed) {
      const waitedMs = now - Math.max(copy.sinceMs, this.#patientSinceMs)
      if (waitedMs < this.patienceMs) break
      if (!this.#late.has(copy)) this.#isLate(copy)
      if (waitedMs >= this.#options.giveUpMs) {
        this.#giveUp()
        return
      }
    }
    if (this.#unconfirmed.size > 0) this.#timer = setTimeout(() => this.#look(), this.patienceMs / 4)
  }

  #isLate(copy: Unconfirmed): void {
    this.#late.add(copy)
    const owed = Promise.withResolvers<void>()
    owed.promise.catch(() => undefined)
    const { settle } = copy
    copy.settle = (error) => (error ? owed.reject(error) : owed.resolve())
    const { promise } = owed
    settle(new PublishError('timeout', `${this.#target(copy)} did not confirm the copy in time`, { owed: promise }))
    if (this.#isStale) return
    this.#isStale = true
    this.#options.becameStale()
  }

  #giveUp(): void {
    this.#abandon(new PublishError('lost', 'the broker never confirmed the copy: its channel was closed'))
    void this.#channel.close()
  }

  #abandon(error: PublishError): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const copy of [...this.#unconfirmed]) {
      this.#unconfirmed.delete(copy)
      copy.settle(error)
    }
    this.#late.clear()
  }

  #loss(end: End): PublishError {
    if (end.by !== 'broker' || this.wire.end) {
      const message = 'the connection was lost before the broker confirmed the copy'
      return new PublishError('lost', `${message}: ${end.text}`)
    }
    return new PublishError(end.code === notFound ? 'missing-exchange' : 'refused', end.text)
  }

  #target(copy: Unconfirmed): string {
    return this.#exchange === ''
      ? `queue ${JSON.stringify(copy.routingKey)}`
      : `exchange ${JSON.stringify(this.#exchange)} with routing key ${JSON.stringify(copy.routingKey)}`
  }
}
