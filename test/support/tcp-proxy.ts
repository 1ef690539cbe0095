import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on a local port that simulates failures of a network. */
export type TcpProxy = {
  readonly port: number
  /** Connections open now. */
  readonly connections: number
  /** Closes all connections; new ones work. */
  cut(): void
  /**
   * Stops forwarding, in both directions or in one, while all connections stay open. New connections are silent too.
   */
  goSilent(towards?: 'client' | 'target'): void
  /** New connections work again. Silent ones have lost bytes and stay silent. */
  recover(): void
  /** Sends bytes to all clients as if they came from the target. */
  inject(bytes: Buffer): void
  close(): Promise<void>
}

/** Which side receives nothing any more. */
type Silence = 'nobody' | 'client' | 'target' | 'both'

export const tcpProxy = async (
  target: { readonly hostname: string; readonly port: number },
  port = 0,
): Promise<TcpProxy> => {
  const pairs = new Set<{ readonly client: Socket; readonly broker: Socket; silent: Silence }>()
  let silent: Silence = 'nobody'
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ host: target.hostname, port: target.port, noDelay: true })
    const pair = { client, broker, silent }
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      broker.destroy()
    }
    const pass = (to: Socket, towards: Silence) => (bytes: Buffer) => {
      if (pair.silent !== 'both' && pair.silent !== towards) to.write(bytes)
    }
    pairs.add(pair)
    client.on('data', pass(broker, 'target')).on('error', end).on('close', end)
    broker.on('data', pass(client, 'client')).on('error', end).on('close', end)
  })
  server.listen(port, '127.0.0.1')
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
    },
    inject: (bytes) => {
      for (const { client } of pairs) client.write(bytes)
    },
    close: async () => {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
