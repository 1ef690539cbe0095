import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A frame as it stands on the wire. */
export type WireFrame = {
  readonly type: number
  readonly channel: number
  /** `<class>.<method>` by number, such as 50.10 for queue.declare; empty where it is no method. */
  readonly method: string
  readonly bytes: Buffer
}

export type Link = { toClient(bytes: Buffer): void; toBroker(bytes: Buffer): void; hangUp(): void }

/** What becomes of a frame from one side: it is passed on only where this does so. */
export type Alter = (frame: WireFrame, link: Link) => void

export type AmqpProxy = {
  readonly port: number
  /** Connections that were made so far, and those that are open. */
  readonly made: number
  readonly open: number
  fromBroker: Alter
  fromClient: Alter
  close(): Promise<void>
}

/** A proxy in front of a broker that sees frames, and may hold back, change or add some. */
export const amqpProxy = async (target: { readonly hostname: string; readonly port: number }): Promise<AmqpProxy> => {
  const links = new Set<Link>()
  let made = 0
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ host: target.hostname, port: target.port, noDelay: true })
    const link: Link = {
      toClient: (bytes) => void (client.destroyed || client.write(bytes)),
      toBroker: (bytes) => void (broker.destroyed || broker.write(bytes)),
      hangUp: () => {
        links.delete(link)
        client.destroy()
        broker.destroy()
      },
    }
    made++
    links.add(link)
    readFrames(broker, 0, link.toClient, (frame) => proxy.fromBroker(frame, link))
    readFrames(client, 8, link.toBroker, (frame) => proxy.fromClient(frame, link))
    for (const socket of [client, broker]) socket.on('error', link.hangUp).on('close', link.hangUp)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: AmqpProxy = {
    port: (server.address() as AddressInfo).port,
    get made() {
      return made
    },
    get open() {
      return links.size
    },
    fromBroker: ({ bytes }, { toClient }) => toClient(bytes),
    fromClient: ({ bytes }, { toBroker }) => toBroker(bytes),
    close: async () => {
      for (const { hangUp } of links) hangUp()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

/** A method frame. */
export const methodFrame = (channel: number, classId: number, methodId: number, fields: Buffer): Buffer => {
  const head = Buffer.alloc(11)
  head[0] = 1
  head.writeUInt16BE(channel, 1)
  head.writeUInt32BE(4 + fields.length, 3)
  head.writeUInt16BE(classId, 7)
  head.writeUInt16BE(methodId, 9)
  return Buffer.concat([head, fields, Buffer.of(0xce)])
}

/** What a node sends that shuts down. */
export const shutdown = methodFrame(
  0,
  10,
  50,
  Buffer.concat([Buffer.from([1, 64, 24]), Buffer.from('CONNECTION_FORCED - stop'), Buffer.alloc(4)]),
)

const readFrames = (
  socket: Socket,
  prefix: number,
  pass: (bytes: Buffer) => void,
  take: (frame: WireFrame) => void,
): void => {
  let rest = Buffer.alloc(0)
  let skip = prefix
  socket.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    if (skip > 0) {
      if (rest.length < skip) return
      pass(rest.subarray(0, skip))
      rest = rest.subarray(skip)
      skip = 0
    }
    while (rest.length >= 8) {
      const length = 8 + rest.readUInt32BE(3)
      if (rest.length < length) return
      const type = rest[0] as number
      const method = type === 1 ? `${rest.readUInt16BE(7)}.${rest.readUInt16BE(9)}` : ''
      take({ type, channel: rest.readUInt16BE(1), method, bytes: rest.subarray(0, length) })
      rest = rest.subarray(length)
    }
  })
}
