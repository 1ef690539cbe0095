import type { Socket } from 'node:net'
import { Payload } from './arguments.ts'
import { Channel, type Handlers, type Lines } from './channel.ts'
import { Cursor } from './cursor.ts'
import { type End, EndedError, Violation } from './ended.ts'
import { FrameReader, type FrameSink } from './frame-reader.ts'
import { Handshake, type Login, protocolHeader, type Step, type Tuned } from './handshake.ts'
import { startHeartbeat } from './heartbeat.ts'
import { frame, connection as methods } from './methods.ts'
import { Output } from './output.ts'
import { writePublish } from './publish-frames.ts'

const goodbyeMs = 1_000

/**
 * One connection to a broker, from its first byte to its end. There are no events that one could come too late for: `end` and `blocked` are
 * always right, and `ended` tells everybody who asks.
 */
export class Wire implements FrameSink, Lines {
  readonly #socket: Socket
  readonly #output: Output
  readonly #reader = new FrameReader(this)
  readonly #cursor = new Cursor()
  readonly #handshake: Handshake
  readonly #channels = new Map<number, Channel>()
  readonly #opened = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<End>()
  #tuned: Tuned | undefined
  #end: End | undefined
  #blocked: string | undefined
  #onBlocked: ((reason: string | undefined) => void) | undefined
  #room: PromiseWithResolvers<void> | undefined
  #stopHeartbeat: () => void = () => undefined
  #hasReceived = false
  #isPaused = false
  #firstByte: number | undefined
  #isClosing = false
  #lastNumber = 0

  /** The socket may still be connecting; what it reads is to be given to {@link read}. */
  constructor(socket: Socket, login: Login) {
    this.#socket = socket
    this.#output = new Output(socket)
    this.#handshake = new Handshake(login, (payload) => this.send(0, payload))
    socket.on('drain', () => this.#hasRoom())
    socket.on('close', () => this.#over({ by: 'socket', text: 'the broker closed the connection' }))
    this.#output.append(protocolHeader)
  }

  get end(): End | undefined {
    return this.#end
  }

  get ended(): Promise<End> {
    return this.#ended.promise
  }

  /** Resolves once the handshake is done. It stays pending when the connection ends before. */
  get opened(): Promise<void> {
    return this.#opened.promise
  }

  /** How far the handshake came, and the first byte that the peer sent. */
  get progress(): { readonly step: Step; readonly firstByte: number | undefined } {
    return { step: this.#handshake.step, firstByte: this.#firstByte }
  }

  /** The version of the broker, as it calls it; `undefined` before the handshake, or where it does not say. */
  get version(): string | undefined {
    return this.#handshake.version
  }

  /** Why the broker takes no messages from us at the moment. */
  get blocked(): string | undefined {
    return this.#blocked
  }

  /** Calls `listener` when that changes, and now if the broker takes none. */
  onBlocked(listener: (reason: string | undefined) => void): void {
    this.#onBlocked = listener
    if (this.#blocked !== undefined) listener(this.#blocked)
  }

  get frameMax(): number {
    return this.#tuned?.frameMax ?? 4_096
  }

  /** What to wait for before more is published; `undefined` while the peer keeps up. */
  get room(): Promise<void> | undefined {
    if (!this.#output.isFull || this.#end) return undefined
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }

  /** Opens a channel. It is there at once, and takes calls: {@link Channel.opened} says when it is open. @throws {EndedError} */
  newChannel(handlers: Handlers = {}): Channel {
    if (this.#end) throw new EndedError('connection', this.#end)
    const number = this.#freeNumber()
    const channel = new Channel(number, this, handlers)
    this.#channels.set(number, channel)
    channel.open()
    return channel
  }

  /** @throws {EndedError} */
  async openChannel(handlers: Handlers = {}): Promise<Channel> {
    const channel = this.newChannel(handlers)
    await channel.opened
    return channel
  }

  /** Closes it in order: the broker has read all that was sent before when it resolves. */
  async close(): Promise<void> {
    if (this.#end === undefined && !this.#isClosing) {
      this.#isClosing = true
      this.send(0, new Payload(methods.close).short(200).text('done').short(0).short(0).bytes)
    }
    await this.ended
  }

  /** Ends it at once. */
  destroy(end: End): void {
    this.#over(end)
    this.#socket.destroy()
  }

  send(channel: number, payload: Buffer): void {
    if (this.#end === undefined) this.#output.frame(frame.method, channel, payload)
  }

  publish(channel: number, message: Parameters<Lines['publish']>[1]): void {
    if (this.#end === undefined) writePublish(this.#output, channel, message, this.frameMax)
  }

  release(channel: number): void {
    this.#channels.delete(channel)
  }

  /** Reads nothing more from the peer, which cannot send more than fits into the network then. What is sent goes out. */
  pauseReading(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resumeReading(): void {
    this.#isPaused = false
    this.#socket.resume()
  }

  /** Takes what the socket has read. The bytes may be read over afterwards. */
  read(bytes: Buffer): void {
    if (this.#end) return
    this.#hasReceived = true
    this.#firstByte ??= bytes[0]
    try {
      this.#reader.read(bytes)
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      this.destroy({ by: 'unreadable', text: `the peer sent what is not AMQP 0-9-1: ${error.message}` })
    }
  }

  method(number: number, bytes: Buffer, start: number, end: number): void {
    const cursor = this.#cursor.over(bytes, start, end)
    const id = cursor.long()
    if (number === 0) this.#take(id, cursor)
    else this.#channel(number).method(id, cursor)
  }

  header(number: number, bytes: Buffer, start: number, end: number): void {
    this.#channel(number).header(this.#cursor.over(bytes, start, end))
  }

  body(number: number, bytes: Buffer, start: number, end: number): void {
    this.#channel(number).body(bytes, start, end)
  }

  #channel(number: number): Channel {
    const channel = this.#channels.get(number)
    if (channel === undefined) throw new Violation(`a frame for channel ${number}, which is not open`)
    return channel
  }

  #take(id: number, cursor: Cursor): void {
    if (id === methods.close) {
      const end: End = { by: 'broker', code: cursor.short(), text: cursor.text() }
      this.send(0, new Payload(methods.closeOk).bytes)
      this.#leave(end)
    } else if (id === methods.closeOk && this.#isClosing) {
      this.#leave({ by: 'us', text: 'the connection was closed' })
    } else if (this.#tuned === undefined) {
      const tuned = this.#handshake.take(id, cursor)
      if (tuned) this.#isOpen(tuned)
    } else if (id === methods.blocked) {
      this.#block(cursor.text())
    } else if (id === methods.unblocked) {
      this.#block(undefined)
    } else {
      throw new Violation('a method for the connection that was not due')
    }
  }

  #isOpen(tuned: Tuned): void {
    this.#tuned = tuned
    this.#stopHeartbeat = startHeartbeat(tuned.heartbeatSeconds, {
      hasSent: () => this.#output.hasSent(),
      hasReceived: () => {
        // Heartbeats are not read either.
        const has = this.#hasReceived || this.#isPaused
        this.#hasReceived = false
        return has
      },
      send: () => this.#output.frame(frame.heartbeat, 0, Buffer.alloc(0)),
      silent: () => this.destroy({ by: 'socket', text: 'the broker was silent: no heartbeat came' }),
    })
    this.#opened.resolve()
  }

  #block(reason: string | undefined): void {
    this.#blocked = reason
    this.#onBlocked?.(reason)
  }

  /** Says what is left to say, and hangs up; a silent peer does not keep the socket. */
  #leave(end: End): void {
    this.#output.flush()
    this.#over(end)
    this.#socket.destroySoon()
    setTimeout(() => this.#socket.destroy(), goodbyeMs).unref()
  }

  #over(end: End): void {
    if (this.#end) return
    this.#end = end
    this.#reader.stop()
    this.#stopHeartbeat()
    const channels = [...this.#channels.values()]
    this.#channels.clear()
    for (const channel of channels) channel.over(end, 'connection')
    this.#hasRoom()
    this.#ended.resolve(end)
  }

  #hasRoom(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  #freeNumber(): number {
    const most = this.#tuned?.channelMax || 65_535
    if (this.#channels.size >= most) throw new Error(`the broker allows ${most} channels, and all are in use`)
    do this.#lastNumber = (this.#lastNumber % most) + 1
    while (this.#channels.has(this.#lastNumber))
    return this.#lastNumber
  }
}
