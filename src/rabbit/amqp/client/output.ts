import type { Writable } from 'node:stream'
import { frame, frameOverhead } from './methods.ts'

const slabBytes = 64 * 1024

/**
 * What is sent, gathered: everything of one turn of the event loop leaves with one write. Frames are written into a slab
 * right away; large bodies go by reference.
 */
export class Output {
  /** Where claimed bytes are to be written. */
  slab: Buffer = Buffer.allocUnsafeSlow(slabBytes)
  readonly #socket: Writable
  #from = 0
  #at = 0
  #pieces: Buffer[] = []
  #pending: NodeJS.Immediate | undefined
  #hasSent = false

  constructor(socket: Writable) {
    this.#socket = socket
  }

  /** Whether more was handed over than the peer takes at the moment. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** Whether anything was sent since the last call. */
  hasSent(): boolean {
    const has = this.#hasSent
    this.#hasSent = false
    return has
  }

  /** Room in the slab, to be filled before anything else is claimed; where it begins. */
  claim(length: number): number {
    if (this.slab.length - this.#at < length) {
      this.#cut()
      this.slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, length))
      this.#from = 0
      this.#at = 0
    }
    const at = this.#at
    this.#at += length
    this.#pending ??= setImmediate(() => this.flush())
    return at
  }

  /** Sends these very bytes, uncopied. */
  append(bytes: Buffer): void {
    this.#cut()
    this.#pieces.push(bytes)
    this.#pending ??= setImmediate(() => this.flush())
  }

  frame(type: number, channel: number, payload: Buffer): void {
    const start = this.claim(payload.length + frameOverhead)
    const at = putHead(this.slab, start, type, channel, payload.length)
    payload.copy(this.slab, at)
    this.slab[at + payload.length] = frame.end
  }

  flush(): void {
    if (this.#pending) clearImmediate(this.#pending)
    this.#pending = undefined
    this.#cut()
    const pieces = this.#pieces
    if (pieces.length === 0) return
    this.#pieces = []
    this.#hasSent = true
    if (this.#socket.writableEnded || this.#socket.destroyed) return
    this.#socket.cork()
    for (const piece of pieces) this.#socket.write(piece)
    this.#socket.uncork()
  }

  #cut(): void {
    if (this.#at > this.#from) this.#pieces.push(this.slab.subarray(this.#from, this.#at))
    this.#from = this.#at
  }
}

/** Writes the head of a frame; returns where its payload begins. */
export const putHead = (bytes: Buffer, at: number, type: number, channel: number, size: number): number => {
  bytes[at] = type
  bytes.writeUInt16BE(channel, at + 1)
  bytes.writeUInt32BE(size, at + 3)
  return at + 7
}
