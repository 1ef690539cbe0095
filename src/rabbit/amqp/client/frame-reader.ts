import { Violation } from './ended.ts'
import { frame } from './methods.ts'

/** What the frames of a connection are read into. The bytes are the reader's: they change with the next read. */
export type FrameSink = {
  method(channel: number, bytes: Buffer, start: number, end: number): void
  header(channel: number, bytes: Buffer, start: number, end: number): void
  /** A piece of a body: a frame may come in several. */
  body(channel: number, bytes: Buffer, start: number, end: number): void
}

// RabbitMQ sends header frames that are larger than what was negotiated, for messages of AMQP 1.0 with large properties.
const mostBytes = 16 * 1024 * 1024
const headBytes = 7

/**
 * Splits the bytes of a connection into frames, wherever they are cut.
 *
 * @throws {Violation} from `read`, for what is no frame
 */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #head = Buffer.alloc(headBytes)
  #headFilled = 0
  /** Bytes of the payload still to come; below zero where the head is not complete. */
  #left = -1
  #payload: Buffer | undefined
  #isStopped = false

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Nothing more is read, not even what is behind the frame of this moment. */
  stop(): void {
    this.#isStopped = true
  }

  read(bytes: Buffer): void {
    const { length } = bytes
    let at = 0
    while (at < length && !this.#isStopped) {
      at = this.#headFilled === 0 ? this.#whole(bytes, at) : at
      if (at < length && !this.#isStopped) at = this.#piece(bytes, at)
    }
  }

  /** Reads the frames that lie whole in `bytes`; returns where the first one begins that does not. */
  #whole(bytes: Buffer, from: number): number {
    let at = from
    while (bytes.length - at > headBytes && !this.#isStopped) {
      const size = bytes.readUInt32BE(at + 3)
      const end = at + headBytes + size
      if (end >= bytes.length) return at
      if (bytes[end] !== frame.end) throw new Violation('a frame without its end')
      const type = bytes[at] as number
      const channel = bytes.readUInt16BE(at + 1)
      if (type === frame.body) this.#sink.body(channel, bytes, at + headBytes, end)
      else this.#take(type, channel, bytes, at + headBytes, end)
      at = end + 1
    }
    return at
  }

  /** Reads a part of a frame that is cut; returns where it ends. */
  #piece(bytes: Buffer, at: number): number {
    if (this.#left < 0) return this.#headPiece(bytes, at)
    const type = this.#head[0] as number
    const channel = this.#head.readUInt16BE(1)
    if (this.#left === 0) {
      if (bytes[at] !== frame.end) throw new Violation('a frame without its end')
      const payload = this.#payload
      this.#payload = undefined
      this.#headFilled = 0
      this.#left = -1
      if (payload) this.#take(type, channel, payload, 0, payload.length)
      return at + 1
    }
    const end = Math.min(bytes.length, at + this.#left)
    if (this.#payload) bytes.copy(this.#payload, this.#payload.length - this.#left, at, end)
    else this.#sink.body(channel, bytes, at, end)
    this.#left -= end - at
    return end
  }

  #headPiece(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + headBytes - this.#headFilled)
    bytes.copy(this.#head, this.#headFilled, at, end)
    this.#headFilled += end - at
    const type = this.#head[0] as number
    checkType(type)
    if (this.#headFilled < headBytes) return end
    this.#left = this.#head.readUInt32BE(3)
    if (this.#left > mostBytes) throw new Violation(`a frame of ${this.#left} bytes`)
    this.#payload = type === frame.body ? undefined : Buffer.allocUnsafe(this.#left)
    return end
  }

  #take(type: number, channel: number, bytes: Buffer, start: number, end: number): void {
    if (type === frame.method) this.#sink.method(channel, bytes, start, end)
    else if (type === frame.header) this.#sink.header(channel, bytes, start, end)
    else checkType(type)
  }
}

const checkType = (type: number): void => {
  if (type !== frame.method && type !== frame.header && type !== frame.body && type !== frame.heartbeat) {
    throw new Violation(`a frame of type ${type}`)
  }
}
