import { Payload } from './arguments.ts'
import { type Confirm, Confirms } from './confirms.ts'
import { Assembly, type Content } from './content.ts'
import type { Cursor } from './cursor.ts'
import { type End, EndedError, UnencodableError, Violation } from './ended.ts'
import { basic, frameOverhead, channel as methods, nameOf } from './methods.ts'
import { checkOutgoing, type Outgoing } from './publish-frames.ts'

export type Delivered = Content & {
  readonly deliveryTag: number
  readonly redelivered: boolean
  readonly exchange: string
  readonly routingKey: string
}

/** A message that was asked for, and how many more were ready in its queue then, as the leader of the queue counts them. */
export type Gotten = Delivered & { readonly remaining: number }

export type Returned = Content & {
  readonly code: number
  readonly text: string
  readonly exchange: string
  readonly routingKey: string
}

/** Called synchronously, while a frame is read: they do not throw. None is called once the channel is over, but `ended`. */
export type Handlers = {
  /** The bytes of a content are read over by the next one: whoever is called with them copies what is to be kept. */
  readonly readsOver?: true
  delivered?(delivery: Delivered & { readonly consumerTag: string }): void
  /** The broker ended a consumer. */
  cancelled?(consumerTag: string): void
  /** A message that was published as mandatory, and reached no queue. Its confirm comes after this. */
  returned?(message: Returned): void
  /** The channel is over. What was asked of it, and what it was owed, is told after this. */
  ended?(end: End): void
}

/** What a channel needs of its connection. */
export type Lines = {
  readonly frameMax: number
  send(channel: number, payload: Buffer): void
  publish(channel: number, message: Outgoing): void
  /** The number of this channel may be used again. */
  release(channel: number): void
}

type Call = {
  readonly answers: readonly number[]
  take(cursor: Cursor, id: number): void
  reject(error: EndedError): void
}

/** One channel. Its state is right from the first frame on: whoever asks later is told the end that they missed. */
export class Channel {
  readonly number: number
  readonly #lines: Lines
  readonly #handlers: Handlers
  readonly #calls: Call[] = []
  readonly #confirms = new Confirms()
  readonly #assembly: Assembly
  /** A call whose answer has a content that is still to come. */
  #getting: Call | undefined
  readonly #ended = Promise.withResolvers<End>()
  #opened: Promise<void> = Promise.resolve()
  #end: End | undefined
  #endOf: EndedError['of'] = 'channel'
  #isClosing = false

  /** Made by the connection. */
  constructor(number: number, lines: Lines, handlers: Handlers) {
    this.number = number
    this.#lines = lines
    this.#handlers = handlers
    this.#assembly = new Assembly(handlers)
  }

  /** Asks the broker for it. Called by the connection. */
  open(): void {
    this.#opened = this.call(new Payload(methods.open).text(''), [methods.openOk], () => undefined)
    this.#opened.catch(() => undefined)
  }

  /** Resolves once the broker has opened it. @throws {EndedError} */
  get opened(): Promise<void> {
    return this.#opened
  }

  /** Why it is over; `undefined` while it is not. */
  get end(): End | undefined {
    return this.#end
  }

  /** Resolves once it is over. */
  get ended(): Promise<End> {
    return this.#ended.promise
  }

  /**
   * Sends a method and waits for its answer. Calls may be sent back to back: their answers come in order.
   *
   * @throws {EndedError}
   */
  call<T>(payload: Payload, answers: readonly number[], read: (cursor: Cursor, id: number) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#call(payload, { answers, take: (cursor, id) => resolve(read(cursor, id)), reject })
    })
  }

  /** Takes one message from a queue; `undefined` when it is empty. @throws {EndedError} */
  get(queue: string): Promise<Gotten | undefined> {
    return new Promise((resolve, reject) => {
      const take = (cursor: Cursor, id: number): void => {
        if (id === basic.getEmpty) {
          resolve(undefined)
          return
        }
        const head = { ...deliveryHead(cursor), remaining: cursor.long() }
        this.#getting = call
        this.#assembly.begin((content) => {
          this.#getting = undefined
          resolve({ ...head, ...content })
        })
      }
      const call = { answers: [basic.getOk, basic.getEmpty], take, reject }
      this.#call(new Payload(basic.get).short(0).text(queue).bits(false), call)
    })
  }

  /** Sends a method that has no answer; does nothing once the channel is over. */
  tell({ bytes }: { readonly bytes: Buffer }): void {
    if (this.#end === undefined) this.#lines.send(this.number, bytes)
  }

  /**
   * Publishes on a channel with confirms. `confirm` is called once: as long as the channel lives, a confirm stays owed.
   *
   * @throws {EndedError | UnencodableError} when nothing was sent
   */
  publish(message: Outgoing, confirm: Confirm): void {
    if (this.#end) throw new EndedError(this.#endOf, this.#end)
    checkOutgoing(message, this.#lines.frameMax)
    this.#confirms.add(confirm)
    this.#lines.publish(this.number, message)
  }

  /** Closes it in order: the broker has processed all that was sent before when it resolves. */
  async close(): Promise<void> {
    if (this.#end === undefined && !this.#isClosing) {
      this.#isClosing = true
      this.tell(new Payload(methods.close).short(200).text('done').short(0).short(0))
    }
    await this.ended
  }

  /** A method for this channel. @throws {Violation} */
  method(id: number, cursor: Cursor): void {
    if (id === methods.closeOk) {
      this.#lines.release(this.number)
      this.over({ by: 'us', text: 'the channel was closed' }, 'channel')
    } else if (id === methods.close) {
      this.#closedByBroker(cursor)
    } else if (this.#isClosing || this.#end) {
      // It was on its way. A content may follow, which is not read either.
    } else {
      this.#take(id, cursor)
    }
  }

  header(cursor: Cursor): void {
    if (!this.#isClosing && !this.#end) this.#assembly.header(cursor)
  }

  body(bytes: Buffer, start: number, end: number): void {
    if (!this.#isClosing && !this.#end) this.#assembly.body(bytes, start, end)
  }

  /** Nothing more comes. Called by the connection when it is over. */
  over(end: End, of: EndedError['of']): void {
    if (this.#end) return
    this.#end = end
    this.#endOf = of
    this.#handlers.ended?.(end)
    const calls = [...(this.#getting ? [this.#getting] : []), ...this.#calls.splice(0)]
    for (const { reject } of calls) reject(new EndedError(of, end))
    this.#confirms.abandon(end)
    this.#ended.resolve(end)
  }

  #take(id: number, cursor: Cursor): void {
    this.#assembly.expectNone()
    switch (id) {
      case basic.deliver: {
        const consumerTag = cursor.text()
        const head = deliveryHead(cursor)
        this.#assembly.begin((content) => this.#handlers.delivered?.({ consumerTag, ...head, ...content }))
        return
      }
      case basic.return: {
        const head = { code: cursor.short(), text: cursor.text(), exchange: cursor.text(), routingKey: cursor.text() }
        this.#assembly.begin((content) => this.#handlers.returned?.({ ...head, ...content }))
        return
      }
      case basic.ack:
        this.#confirms.settle(cursor.longLong(), cursor.bit(), 'confirmed')
        return
      case basic.nack:
        this.#confirms.settle(cursor.longLong(), cursor.bit(), 'refused')
        return
      case basic.cancel:
        this.#handlers.cancelled?.(cursor.text())
        return
      case methods.flow:
        this.tell(new Payload(methods.flowOk).bits(cursor.bit()))
        return
      default:
        this.#answer(id, cursor)
    }
  }

  #answer(id: number, cursor: Cursor): void {
    const call = this.#calls[0]
    if (call === undefined || !call.answers.includes(id)) throw new Violation(`method ${nameOf(id)}, which was not due`)
    this.#calls.shift()
    call.take(cursor, id)
  }

  #call(payload: Payload, call: Call): void {
    if (this.#end) throw new EndedError(this.#endOf, this.#end)
    const { bytes } = payload
    const most = this.#lines.frameMax - frameOverhead
    if (bytes.length > most) throw new UnencodableError(`it takes ${bytes.length} bytes; the broker takes ${most}`)
    this.#calls.push(call)
    this.#lines.send(this.number, bytes)
  }

  // The number is free at once; where we had asked to close it too, once the broker has answered that.
  #closedByBroker(cursor: Cursor): void {
    const code = cursor.short()
    const text = cursor.text()
    this.#lines.send(this.number, new Payload(methods.closeOk).bytes)
    if (!this.#isClosing) this.#lines.release(this.number)
    this.over({ by: 'broker', code, text }, 'channel')
  }
}

const deliveryHead = (cursor: Cursor) => ({
  deliveryTag: cursor.longLong(),
  redelivered: cursor.bit(),
  exchange: cursor.text(),
  routingKey: cursor.text(),
})
