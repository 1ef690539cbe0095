import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type PoisonProxy = {
  readonly port: number
  /** How many connections it has ended. */
  readonly ended: number
  close(): Promise<void>
}

export type PoisonOptions = { isPoison?(bytes: Buffer): boolean; readonly cut?: boolean }

/**
 * A proxy in front of a broker that ends a connection, as RabbitMQ 4 does for a message that it cannot hand out over AMQP 0-9-1:
 * with the error 541, in place of a delivery that `isPoison`; by default it has that word in it. With `cut`, without a word.
 */
export const poisonProxy = async (
  target: { readonly hostname: string; readonly port: number },
  { isPoison = (bytes) => bytes.includes('POISON'), cut = false }: PoisonOptions = {},
): Promise<PoisonProxy> => {
  const sockets = new Set<Socket>()
  let ended = 0
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ host: target.hostname, port: target.port, noDelay: true })
    sockets.add(client)
    const end = () => {
      sockets.delete(client)
      client.destroy()
      broker.destroy()
    }
    let isOver = false
    broker.on('data', (bytes) => {
      if (isOver) return
      if (!isPoison(bytes)) {
        client.write(bytes)
        return
      }
      isOver = true
      ended += 1
      broker.destroy()
      if (cut) client.destroy()
      else client.write(internalError)
    })
    broker.on('error', end).on('close', () => isOver || end())
    client
      .on('data', (bytes) => isOver || broker.write(bytes))
      .on('error', end)
      .on('close', end)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get ended() {
      return ended
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** `connection.close` with 541. */
const internalError = (() => {
  const text = 'INTERNAL_ERROR'
  const payload = Buffer.alloc(4 + 2 + 1 + text.length + 4)
  payload.writeUInt16BE(10, 0)
  payload.writeUInt16BE(50, 2)
  payload.writeUInt16BE(541, 4)
  payload.writeUInt8(text.length, 6)
  payload.write(text, 7)
  const frame = Buffer.alloc(7 + payload.length + 1)
  frame.writeUInt8(1, 0)
  frame.writeUInt32BE(payload.length, 3)
  payload.copy(frame, 7)
  frame.writeUInt8(0xce, frame.length - 1)
  return frame
})()
