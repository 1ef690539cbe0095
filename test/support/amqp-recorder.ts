import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** A TCP proxy in front of a broker that records the AMQP 0-9-1 methods which clients call. */
export type AmqpRecorder = {
  readonly port: number
  /** `<class>.<method>` by number, such as 50.10 for queue.declare, in order. */
  readonly methods: string[]
  close(): Promise<void>
}

const headerBytes = 8
const frameOverhead = 8
const methodFrame = 1

export const amqpRecorder = async (target: {
  readonly hostname: string
  readonly port: number
}): Promise<AmqpRecorder> => {
  const methods: string[] = []
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ host: target.hostname, port: target.port, noDelay: true })
    let rest = Buffer.alloc(0)
    let skip = headerBytes
    const end = () => {
      client.destroy()
      broker.destroy()
    }
    client
      .on('data', (bytes: Buffer) => {
        broker.write(bytes)
        rest = Buffer.concat([rest, bytes])
        if (rest.length < skip) return
        rest = rest.subarray(skip)
        skip = 0
        for (; rest.length >= frameOverhead; ) {
          const length = frameOverhead + rest.readUInt32BE(3)
          if (rest.length < length) return
          if (rest[0] === methodFrame) methods.push(`${rest.readUInt16BE(7)}.${rest.readUInt16BE(9)}`)
          rest = rest.subarray(length)
        }
      })
      .on('error', end)
      .on('close', end)
    broker
      .on('data', (bytes) => client.write(bytes))
      .on('error', end)
      .on('close', end)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    methods,
    async close() {
      server.close()
      server.unref()
    },
  }
}

/** Whether a method declares, binds, unbinds, deletes or purges: class 40 is exchange, 50 queue. */
export const isChange = (method: string): boolean => /^(40|50)\./.test(method)
