import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { SecureVersion, TlsOptions } from 'node:tls'
import * as selfSigned from '../../http/self-signed.ts'
import * as expired from './expired.ts'

/** How a subscriber does https: as it should be, and what makes a client end the connection before it sends anything. */
export const httpsWays = [
  'right',
  'untrusted',
  'expired',
  'of another host',
  'of an old version',
  'with a client certificate',
  'without TLS',
  'silent',
  'reset',
  'garbled',
] as const
export type HttpsWay = (typeof httpsWays)[number]

/** The authority to trust, for each way. */
export const authorityOf = (way: HttpsWay): string | undefined =>
  way === 'untrusted' ? undefined : way === 'expired' ? expired.cert : selfSigned.cert

type Opened = { readonly url: string; close(): Promise<void> }

/** Opens a port of its own. */
export const openHttps = async (way: HttpsWay, listener: RequestListener): Promise<Opened> => {
  const sockets = new Set<Socket>()
  const server = serverOf(way, listener)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => undefined)
  // Its certificate is for 127.0.0.1 alone.
  const host = way === 'of another host' ? '127.0.0.2' : '127.0.0.1'
  server.listen(0, host)
  await once(server, 'listening')
  return {
    url: `https://${host}:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

const options: Partial<Record<HttpsWay, TlsOptions>> = {
  expired,
  'of an old version': {
    ...selfSigned,
    minVersion: 'TLSv1' satisfies SecureVersion,
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  },
  'with a client certificate': { ...selfSigned, requestCert: true, rejectUnauthorized: true },
}

const plain: Partial<Record<HttpsWay, (socket: Socket) => void>> = {
  'without TLS': (socket) => socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'),
  silent: (socket) => void socket.resume(),
  reset: (socket) => void socket.once('data', () => socket.resetAndDestroy()),
  // A handshake record that holds nothing of the sort.
  garbled: (socket) => void socket.once('data', () => socket.write(Buffer.from([22, 3, 3, 0, 4, 1, 2, 3, 4]))),
}

const serverOf = (way: HttpsWay, listener: RequestListener): Server => {
  const talk = plain[way]
  return talk ? createServer(talk) : createHttps(options[way] ?? { ...selfSigned }, listener)
}
