import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** A TCP proxy in front of a broker that records what passes over AMQP 0-9-1. */
export type AmqpRecorder = {
  readonly port: number
  /** What clients call: `<class>.<method>` by number, such as 50.10 for queue.declare, in order. */
  readonly methods: string[]
  /** The properties of the messages that the broker sends: flags and list, byte for byte. */
  readonly properties: Buffer[]
  close(): Promise<void>
}

/** What a client sends before its first frame. */
export const protocolHeader = 8
const frameOverhead = 8
const payloadAt = 7
const methodFrame = 1
const headerFrame = 2
/** Class, weight and size of the body. */
const beforeProperties = 12

/** Takes bytes as they arrive, and calls `onFrame` with each whole frame. */
export const frames = (skipped: number, onFrame: (frame: Buffer) => void): ((bytes: Buffer) => void) => {
  let rest = Buffer.alloc(0)
  let skip = skipped
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    if (rest.length < skip) return
    rest = rest.subarray(skip)
    skip = 0
    while (rest.length >= frameOverhead) {
      const length = frameOverhead + rest.readUInt32BE(3)
      if (rest.length < length) return
      onFrame(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  }
}

/** `<class>.<method>` by number, such as 50.10 for queue.declare; nothing where the frame is no method. */
export const methodOf = (frame: Buffer): string | undefined =>
  frame[0] === methodFrame ? `${frame.readUInt16BE(payloadAt)}.${frame.readUInt16BE(payloadAt + 2)}` : undefined

export const amqpRecorder = async (target: {
  readonly hostname: string
  readonly port: number
}): Promise<AmqpRecorder> => {
  const methods: string[] = []
  const properties: Buffer[] = []
  const called = (frame: Buffer) => {
    const method = methodOf(frame)
    if (method !== undefined) methods.push(method)
  }
  const sent = (frame: Buffer) => {
    if (frame[0] === headerFrame) properties.push(Buffer.from(frame.subarray(payloadAt + beforeProperties, -1)))
  }
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ host: target.hostname, port: target.port, noDelay: true })
    const fromClient = frames(protocolHeader, called)
    const fromBroker = frames(0, sent)
    const end = () => {
      client.destroy()
      broker.destroy()
    }
    client
      .on('data', (bytes: Buffer) => {
        broker.write(bytes)
        fromClient(bytes)
      })
      .on('error', end)
      .on('close', end)
    broker
      .on('data', (bytes: Buffer) => {
        client.write(bytes)
        fromBroker(bytes)
      })
      .on('error', end)
      .on('close', end)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    methods,
    properties,
    async close() {
      server.close()
      server.unref()
    },
  }
}

/** Whether a method declares, binds, unbinds, deletes or purges: class 40 is exchange, 50 queue. */
export const isChange = (method: string): boolean => /^(40|50)\./.test(method)
