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

/** Hands on what comes from one side of a connection, as long as that one is not to be silent. */
export type Pipe = (from: Socket, to: Socket, isSilent: () => boolean, towards: 'client' | 'target') => void

const atOnce: Pipe = (from, to, isSilent) => {
  from.on('data', (bytes) => void (isSilent() || to.write(bytes)))
}

/** Which side receives nothing any more. */
type Silence = 'nobody' | 'client' | 'target' | 'both'

export const tcpProxy = async (
  target: { readonly hostname: string; readonly port: number },
  port = 0,
  pipe: Pipe = atOnce,
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
    const isSilent = (towards: Silence) => () => pair.silent === 'both' || pair.silent === towards
    pairs.add(pair)
    for (const socket of [client, broker]) socket.on('error', end).on('close', end)
    pipe(client, broker, isSilent('target'), 'target')
    pipe(broker, client, isSilent('client'), 'client')
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
