import { Duplex } from 'node:stream'
import { Agent, buildConnector, WebSocket } from 'undici'
import { pause } from '../../../async/abort.ts'
import type { Cluster } from '../cluster/cluster.ts'

/** A port of a pod. */
export type PodPort = { readonly namespace: string; readonly pod: string; readonly port: number }

export const forwardPath = ({ namespace, pod }: PodPort): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`

/** The connection could not be made, or was lost; the API server says why to who asks for the path without an upgrade. */
export class TunnelError extends Error {
  override readonly name = 'TunnelError'
}

const connectWithinMs = 5_000
const neverEnds = new AbortController().signal

/** What was not sent yet, before more is taken. */
const mostUnsent = 1 << 20

/**
 * One connection to a port of a pod, through the API server, as `kubectl port-forward` makes it: frames begin with the number of
 * their channel, 0 for data and 1 for errors, and the first frame of each holds the port.
 *
 * @throws TunnelError
 */
export const openTunnel = async (cluster: Cluster, to: PodPort): Promise<Duplex> => {
  const url = new URL(cluster.server.replace(/\/+$/, '') + forwardPath(to))
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
  url.searchParams.set('ports', String(to.port))
  const connect = buildConnector({ ...cluster.tls, allowH2: false, timeout: connectWithinMs })
  const dispatcher = new Agent({ connect })
  const headers = { ...(await cluster.headers()) }
  const socket = new WebSocket(url, { protocols: ['v4.channel.k8s.io'], dispatcher, headers })
  socket.binaryType = 'arraybuffer'
  const tunnel = duplexOf(socket)
  tunnel.once('close', () => void dispatcher.destroy())
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true })
    tunnel.once('error', reject)
  })
  return tunnel
}

/** Sockets can be kept from holding up the end of a process. */
const asSocket = { ref: () => undefined, unref: () => undefined }

const duplexOf = (socket: WebSocket): Duplex => {
  const begun = new Set<number>()
  const tunnel = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      socket.send(Buffer.concat([Buffer.of(0), chunk]))
      void whenSent(socket).then(() => done())
    },
    final(done) {
      // There is no way to end one direction alone.
      done()
    },
    destroy(error, done) {
      socket.close()
      done(error)
    },
  })
  const lost = (why: string) => tunnel.destroy(new TunnelError(why))
  socket.addEventListener('message', ({ data }) => {
    const frame = Buffer.from(data as ArrayBuffer)
    const channel = frame[0] ?? -1
    const content = frame.subarray(begun.has(channel) ? 1 : 3)
    begun.add(channel)
    if (content.length === 0) return
    if (channel === 0) tunnel.push(content)
    else lost(content.toString('utf8').trim())
  })
  socket.addEventListener('error', ({ message }) => lost(message))
  socket.addEventListener('close', () => tunnel.push(null))
  return Object.assign(tunnel, asSocket)
}

const whenSent = async (socket: WebSocket): Promise<void> => {
  while (socket.bufferedAmount > mostUnsent && socket.readyState === socket.OPEN) await pause(10, neverEnds)
}
