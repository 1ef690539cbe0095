import { type ChannelModel, type ConfirmChannel, IllegalOperationError } from 'amqplib'
import { unlessAborted } from '../../async/abort.ts'
import type { Copy } from '../../delivery/message/copy.ts'
import { reasonOf } from './connection.ts'
import { PublishError } from './publish-error.ts'
import { decoded } from './recode.ts'

export type PublishChannelOptions = {
  readonly confirmTimeoutMs: number
  /** The broker did not answer in time, and may not answer on this connection any more. */
  hangs(): void
  /** While true the broker reads nothing, so nothing counts as late. */
  isBlocked(): boolean
}

type Unconfirmed = {
  readonly routingKey: string
  readonly sentAtMs: number
  isReturned: boolean
  settle(error?: PublishError): void
}

const notFound = 404

/** A channel with confirms for the copies of one exchange. */
export class PublishChannel {
  readonly #exchange: string
  readonly #options: PublishChannelOptions
  readonly #opening: Promise<ConfirmChannel>
  readonly #unconfirmed = new Set<Unconfirmed>()
  #room: PromiseWithResolvers<void> | undefined
  #fault: (Error & { code?: unknown }) | undefined
  #isClosed = false
  #isRetired = false
  #patientSinceMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(connection: ChannelModel, exchange: string, options: PublishChannelOptions) {
    this.#exchange = exchange
    this.#options = options
    this.#opening = this.#open(connection)
    this.#opening.catch(() => {
      this.#isClosed = true
    })
  }

  /** Whether it accepts more copies. */
  get isUsable(): boolean {
    return !this.#isClosed && !this.#isRetired
  }

  /** @throws {PublishError} */
  async publish(copy: Copy): Promise<void> {
    const channel = await this.#opening.catch((cause) => {
      throw new PublishError('lost', `could not open a channel: ${reasonOf(cause)}`, { cause })
    })
    while (this.#room) await this.#room.promise
    if (this.#isClosed) throw this.#loss()
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: PublishError) => (error ? reject(error) : resolve())
      const { routingKey } = copy
      const unconfirmed = { routingKey, sentAtMs: performance.now(), isReturned: false, settle }
      const options = { ...decoded(copy.properties), persistent: true, mandatory: true }
      const confirmed = (error: unknown) => this.#confirmed(unconfirmed, error)
      try {
        if (!channel.publish(this.#exchange, routingKey, copy.body, options, confirmed)) {
          this.#room ??= Promise.withResolvers()
        }
      } catch (cause) {
        // amqplib encodes a message whole before it writes any of it.
        if (cause instanceof IllegalOperationError) throw this.#loss()
        throw new PublishError('unencodable', `the copy cannot be encoded: ${reasonOf(cause)}`, { cause })
      }
      this.#unconfirmed.add(unconfirmed)
      this.#timer ??= setTimeout(() => this.#expire(), this.#options.confirmTimeoutMs / 4)
    })
  }

  async #open(connection: ChannelModel): Promise<ConfirmChannel> {
    const limit = AbortSignal.timeout(this.#options.confirmTimeoutMs)
    const channel = await unlessAborted(connection.createConfirmChannel(), limit)
    if (channel === undefined) {
      if (!this.#options.isBlocked()) this.#options.hangs()
      throw new Error('the broker opened no channel in time')
    }
    channel.on('return', (message) => this.#returned(message.fields.routingKey))
    channel.on('drain', () => this.#hasRoom())
    channel.on('error', (error) => {
      this.#fault = error
    })
    // Before amqplib's own listener, which fails what is unconfirmed.
    channel.prependListener('close', () => {
      this.#isClosed = true
      clearTimeout(this.#timer)
      this.#hasRoom()
    })
    return channel
  }

  // A return identifies the message by its exchange and routing key only, and copies must not be marked. So a return counts
  // for every copy under way with that key: the broker sends the return of a message before its confirm, hence the right one
  // is always among them. The others differ only if the queue was deleted or created at that moment; they are then delivered
  // twice, which is allowed, where a wrong guess would lose one, which is not.
  #returned(routingKey: string): void {
    for (const copy of this.#unconfirmed) if (copy.routingKey === routingKey) copy.isReturned = true
  }

  #confirmed(copy: Unconfirmed, error: unknown): void {
    if (!this.#unconfirmed.delete(copy)) return
    if (error && this.#isClosed) copy.settle(this.#loss())
    else if (error)
      copy.settle(new PublishError('refused', `${this.#target(copy)} refused the copy: it is full or failing`))
    else if (copy.isReturned) copy.settle(new PublishError('returned', `${this.#target(copy)} has no matching queue`))
    else copy.settle()
    this.#closeIfDone()
  }

  /** Gives up on copies that were unconfirmed for too long, and on the channel with them. */
  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    if (this.#options.isBlocked()) this.#patientSinceMs = now
    for (const copy of this.#unconfirmed) {
      if (now - Math.max(copy.sentAtMs, this.#patientSinceMs) < this.#options.confirmTimeoutMs) break
      this.#unconfirmed.delete(copy)
      copy.settle(new PublishError('timeout', `${this.#target(copy)} did not confirm the copy in time`))
      // amqplib keeps an entry for each confirm that is due and all after it. A new channel starts without them.
      this.#isRetired = true
    }
    if (this.#isRetired) this.#options.hangs()
    this.#closeIfDone()
    if (this.#unconfirmed.size > 0) {
      this.#timer = setTimeout(() => this.#expire(), this.#options.confirmTimeoutMs / 4)
    }
  }

  #closeIfDone(): void {
    if (!this.#isRetired || this.#isClosed || this.#unconfirmed.size > 0) return
    this.#isClosed = true
    this.#opening.then((channel) => channel.close()).catch(() => undefined)
  }

  #hasRoom(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  #loss(): PublishError {
    const cause = this.#fault
    if (cause === undefined)
      return new PublishError('lost', 'the connection was lost before the broker confirmed the copy')
    const kind = cause.code === notFound ? 'missing-exchange' : 'refused'
    return new PublishError(kind, reasonOf(cause), { cause })
  }

  #target(copy: Unconfirmed): string {
    return this.#exchange === ''
      ? `queue ${JSON.stringify(copy.routingKey)}`
      : `exchange ${JSON.stringify(this.#exchange)} with routing key ${JSON.stringify(copy.routingKey)}`
  }
}
