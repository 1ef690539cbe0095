import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { frames, isChange, methodOf, protocolHeader } from '../support/amqp-recorder.ts'
import { type Pipe, tcpProxy } from '../support/tcp-proxy.ts'
import type { StormProxy } from './fault.ts'

/** What comes from the broker on one connection: the beginning of a frame that is not whole, and what is to be put in. */
type Stream = { tail: Buffer; insert: Insert | undefined }
type Insert = (channel: number) => Buffer

/** A proxy in front of AMQP, that makes what a network and a broker can make. */
export const stormProxy = async (target: { readonly hostname: string; readonly port: number }): Promise<StormProxy> => {
  const streams = new Set<Stream>()
  let shape = { bytes: 0, delayMs: 0 }
  let isSilenced = false
  let changes = 0

  const send = async (to: Socket, bytes: Buffer): Promise<void> => {
    const { bytes: size, delayMs } = shape
    if (size === 0 && delayMs === 0) {
      if (!to.write(bytes)) await Promise.race([once(to, 'drain'), once(to, 'close')])
      return
    }
    const piece = size === 0 ? bytes.length : size
    for (let at = 0; at < bytes.length && !to.destroyed; at += piece) {
      if (delayMs > 0) await delay(delayMs)
      // Whoever ended the fault meanwhile gets the rest at once.
      const end = shape.bytes === 0 ? bytes.length : at + piece
      to.write(bytes.subarray(at, end))
      if (shape.bytes === 0) return
    }
  }

  const pipe: Pipe = async (from, to, isSilent, towards) => {
    const stream: Stream = { tail: Buffer.alloc(0), insert: undefined }
    if (towards === 'client') streams.add(stream)
    const follow = frames(protocolHeader, (frame) => {
      if (isChange(methodOf(frame) ?? '')) changes += 1
    })
    // Each write that waits for room listens.
    to.setMaxListeners(0)
    try {
      for await (const chunk of from) {
        if (towards === 'target') follow(chunk as Buffer)
        const bytes = towards === 'client' ? framed(stream, chunk as Buffer) : (chunk as Buffer)
        if (!isSilent()) await send(to, bytes)
      }
    } catch {
      // The other end is told by its own listeners.
    }
    streams.delete(stream)
  }

  const proxy = await tcpProxy(target, 0, pipe)
  return {
    ...proxy,
    get connections() {
      return proxy.connections
    },
    get changes() {
      return changes
    },
    goSilent: (towards) => {
      isSilenced = true
      proxy.goSilent(towards)
    },
    recover: () => {
      proxy.recover()
      // All there are were silent, and have lost bytes.
      if (isSilenced) proxy.cut()
      isSilenced = false
    },
    shape: (bytes, delayMs) => {
      shape = { bytes, delayMs }
    },
    insert: (frameOn) => {
      for (const stream of streams) stream.insert = frameOn
    },
  }
}

/** Follows the frames from the broker, so that something can be put between two of them. */
const framed = (stream: Stream, chunk: Buffer): Buffer => {
  const bytes = stream.tail.length === 0 ? chunk : Buffer.concat([stream.tail, chunk])
  let at = 0
  let channel = 0
  let end = 0
  while (bytes.length - at >= 8) {
    const length = 8 + bytes.readUInt32BE(at + 3)
    if (bytes.length - at < length) break
    const number = bytes.readUInt16BE(at + 1)
    at += length
    // Between a method and its content nothing may come on the same channel.
    if (bytes[at - length] === 1 && number > 0 && isWhole(bytes, at)) {
      channel = number
      end = at
    }
  }
  // The beginning of a frame is held back, so that this stands at its start.
  stream.tail = Buffer.from(bytes.subarray(at))
  const { insert } = stream
  if (insert === undefined || end === 0) return bytes.subarray(0, at)
  stream.insert = undefined
  return Buffer.concat([bytes.subarray(0, end), insert(channel), bytes.subarray(end, at)])
}

/** Whether what comes next is no content. */
const isWhole = (bytes: Buffer, at: number): boolean => at >= bytes.length || bytes[at] === 1 || bytes[at] === 8
