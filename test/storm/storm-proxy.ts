import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { StormProxy } from './fault.ts'

type Silence = 'nobody' | 'client' | 'target' | 'both'
type Pair = {
  readonly client: Socket
  readonly broker: Socket
  silent: Silence
  tail: Buffer
  insert: Insert | undefined
}
type Insert = (channel: number) => Buffer

/** A proxy in front of AMQP, that makes what a network and a broker can make. */
export const stormProxy = async (target: { readonly hostname: string; readonly port: number }): Promise<StormProxy> => {
  const pairs = new Set<Pair>()
  let silent: Silence = 'nobody'
  let shape = { bytes: 0, delayMs: 0 }

  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ host: target.hostname, port: target.port, noDelay: true })
    const pair: Pair = { client, broker, silent, tail: Buffer.alloc(0), insert: undefined }
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      broker.destroy()
    }
    pairs.add(pair)
    // Each write that waits for room listens.
    for (const socket of [client, broker]) socket.setMaxListeners(0)
    for (const socket of [client, broker]) socket.on('error', end).on('close', end)
    void pipe(client, broker, () => pair.silent === 'both' || pair.silent === 'target')
    void pipe(
      broker,
      client,
      () => pair.silent === 'both' || pair.silent === 'client',
      (bytes) => framed(pair, bytes),
    )
  })

  const pipe = async (
    from: Socket,
    to: Socket,
    isSilent: () => boolean,
    through = (bytes: Buffer) => bytes,
  ): Promise<void> => {
    try {
      for await (const chunk of from) {
        const bytes = through(chunk as Buffer)
        if (!isSilent()) await send(to, bytes)
      }
    } catch {
      // The other end is told by its own listeners.
    }
  }

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

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const { client } of pairs) client.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return pairs.size
    },
    cut,
    goSilent: (towards) => {
      silent = towards ?? 'both'
      for (const pair of pairs) pair.silent = silent
    },
    recover: () => {
      silent = 'nobody'
      // They have lost bytes.
      for (const pair of pairs) if (pair.silent !== 'nobody') pair.client.destroy()
    },
    inject: (bytes) => {
      for (const { client } of pairs) client.write(bytes)
    },
    shape: (bytes, delayMs) => {
      shape = { bytes, delayMs }
    },
    insert: (frameOn) => {
      for (const pair of pairs) pair.insert = frameOn
    },
    close: async () => {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Follows the frames from the broker, so that something can be put between two of them. */
const framed = (pair: Pair, chunk: Buffer): Buffer => {
  const bytes = pair.tail.length === 0 ? chunk : Buffer.concat([pair.tail, chunk])
  const heads: number[] = []
  let at = 0
  let channel = 0
  let end = 0
  while (bytes.length - at >= 8) {
    const length = 8 + bytes.readUInt32BE(at + 3)
    if (bytes.length - at < length) break
    const number = bytes.readUInt16BE(at + 1)
    heads.push(number)
    at += length
    // Between a method and its content nothing may come on the same channel.
    if (bytes[at - length] === 1 && number > 0 && isWhole(bytes, at)) {
      channel = number
      end = at
    }
  }
  // The beginning of a frame is held back, so that this stands at its start.
  pair.tail = Buffer.from(bytes.subarray(at))
  const { insert } = pair
  if (insert === undefined || end === 0) return bytes.subarray(0, at)
  pair.insert = undefined
  return Buffer.concat([bytes.subarray(0, end), insert(channel), bytes.subarray(end, at)])
}

/** Whether what comes next is no content. */
const isWhole = (bytes: Buffer, at: number): boolean => at >= bytes.length || bytes[at] === 1 || bytes[at] === 8
