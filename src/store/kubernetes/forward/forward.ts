import type { Duplex } from 'node:stream'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type buildConnector, Client, fetch } from 'undici'
import type { Cluster } from '../cluster/cluster.ts'
import { openTunnel, type PodPort, TunnelError } from './tunnel.ts'

/** An HTTP server in a pod. */
export type Forwarded = {
  /** As the global one; only paths of the URL count. */
  readonly fetch: typeof globalThis.fetch
  close(): Promise<void>
}

/**
 * HTTP to a port of a pod, through the API server: nothing listens on this machine. With a fingerprint (SHA-256, as
 * `AA:BB:…`) the port speaks TLS, and only the certificate with that fingerprint gets to see a request.
 */
export const forward = (cluster: Cluster, to: PodPort, fingerprint: string | undefined): Forwarded => {
  const connect: buildConnector.connector = (_options, callback) => {
    openTunnel(cluster, to)
      .then((tunnel) => (fingerprint === undefined ? (tunnel as TLSSocket) : secured(tunnel, fingerprint)))
      .then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      )
  }
  // Nothing of it is resolved: where requests go is in the connector alone.
  const origin = `${fingerprint === undefined ? 'http' : 'https'}://${to.pod}`
  const dispatcher = new Client(origin, { connect, headersTimeout: 0, bodyTimeout: 0, allowH2: false })
  const forwarded = (input: URL | string, init: object) =>
    fetch(new URL(pathOf(input), origin), { ...init, dispatcher })
  return {
    fetch: forwarded as unknown as Forwarded['fetch'],
    close: () => dispatcher.destroy(),
  }
}

const pathOf = (input: URL | string): string => {
  const { pathname, search } = new URL(input)
  return pathname + search
}

const secured = (tunnel: Duplex, fingerprint: string): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    // Whom the certificate is for does not matter: it is compared with the one that the leader has.
    const socket = connectTls({
      socket: tunnel,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
    })
    const refuse = (error: Error): void => {
      socket.destroy()
      reject(error)
    }
    socket.once('error', refuse)
    tunnel.once('error', refuse)
    socket.once('secureConnect', () => {
      const found = socket.getPeerX509Certificate()?.fingerprint256
      if (found === fingerprint) resolve(socket)
      else
        refuse(
          new TunnelError('it has another certificate than its Lease says; after a renewal, try again in a minute'),
        )
    })
  })
