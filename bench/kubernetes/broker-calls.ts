import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { httpRecorder } from '../../test/support/http-recorder.ts'
import type { Vhost } from '../../test/support/vhost.ts'

/** A proxy between a program and the broker that records the calls which change the broker. */
export type BrokerCalls = {
  /** The content of a Secret with which a program connects through the proxy. */
  readonly secret: Vhost['secret']
  /** The calls so far that change the broker, over AMQP and over the management API. */
  changes(): readonly string[]
  close(): Promise<void>
}

export const brokerCalls = async ({ secret, endpoint, managementUrl }: Vhost): Promise<BrokerCalls> => {
  const amqpCalls: string[] = []
  const amqp = await amqpProxy(endpoint.amqp, (call) => amqpCalls.push(call))
  const http = await httpRecorder(managementUrl)
  const through = new URL(secret.connection_string)
  through.hostname = '127.0.0.1'
  through.port = String((amqp.address() as AddressInfo).port)
  return {
    secret: { connection_string: through.href, management_uri: http.url },
    changes: () => [...amqpCalls, ...http.requests.filter((line) => !line.startsWith('GET '))],
    async close() {
      amqp.close()
      await http.close()
    },
  }
}

const amqpProxy = async (
  target: { readonly hostname: string; readonly port: number },
  changed: (call: string) => void,
): Promise<Server> => {
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ host: target.hostname, port: target.port, noDelay: true })
    const end = () => {
      client.destroy()
      broker.destroy()
    }
    const read = changesIn(changed)
    client.on('data', read).pipe(broker)
    broker.pipe(client)
    for (const socket of [client, broker]) socket.on('error', end).on('close', end)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.unref()
}

const protocolHeaderBytes = 8
const frameHeaderBytes = 7
const methodFrame = 1
const exchangeClass = 40
const queueClass = 50
const declareMethod = 10

/**
 * Splits the bytes of a client into frames (AMQP 0-9-1, 2.3.5). Methods of the classes exchange and queue change the
 * broker.
 */
const changesIn = (changed: (call: string) => void): ((bytes: Buffer) => void) => {
  let rest = Buffer.alloc(0)
  let skip = protocolHeaderBytes
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    for (;;) {
      if (rest.length < skip + frameHeaderBytes) return
      const frame = rest.subarray(skip)
      const size = frame.readUInt32BE(3)
      if (frame.length < frameHeaderBytes + size + 1) return
      const payload = frame.subarray(frameHeaderBytes, frameHeaderBytes + size)
      if (frame[0] === methodFrame) {
        const [classId, method] = [payload.readUInt16BE(0), payload.readUInt16BE(2)]
        const changes = classId === exchangeClass || (classId === queueClass && !isPassive(method, payload))
        if (changes) changed(`AMQP ${classId}.${method}`)
      }
      rest = frame.subarray(frameHeaderBytes + size + 1)
      skip = 0
    }
  }
}

/** Whether a declaration only checks that a queue exists: the first bit after the name. */
const isPassive = (method: number, payload: Buffer): boolean =>
  method === declareMethod && ((payload[6 + 1 + (payload[6] ?? 0)] ?? 0) & 1) === 1
