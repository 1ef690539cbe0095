import { createHash } from 'node:crypto'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { cert, key } from '../../http/self-signed.ts'
import { request } from './request.ts'
import type { ApiServer } from './server.ts'

/** As much of a kubelet as forwarding ports takes: its pods are processes of this machine. */
export type Kubelet = {
  /** Creates a pod that "runs" here: its ports are those of 127.0.0.1. */
  pod(namespace: string, name: string): Promise<void>
  close(): Promise<void>
}

export const startKubelet = async (server: ApiServer): Promise<Kubelet> => {
  const kubelet = createServer({ cert, key })
  const open = new Set<Duplex>()
  kubelet.on('upgrade', ({ url = '', headers }, socket) => {
    open.add(socket)
    const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${magic}`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n` +
        'Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n',
    )
    forwardTo(Number(new URL(url, 'http://kubelet').searchParams.get('port')), socket)
  })
  await new Promise<void>((resolve) => kubelet.listen(0, '127.0.0.1', resolve))
  const { port } = kubelet.address() as AddressInfo
  const node = `kubelet-${port}`
  await created(server, '/api/v1/nodes', { kind: 'Node', metadata: { name: node } })
  await answered(server, 'PUT', `/api/v1/nodes/${node}/status`, {
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: node } },
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  })
  return {
    async pod(namespace, name) {
      const spec = { nodeName: node, containers: [{ name: 'waybill', image: 'waybill' }] }
      await created(server, `/api/v1/namespaces/${namespace}/pods`, { kind: 'Pod', metadata: { name }, spec })
    },
    async close() {
      for (const socket of open) socket.destroy()
      kubelet.close()
      await answered(server, 'DELETE', `/api/v1/nodes/${node}`)
    },
  }
}

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const created = (server: ApiServer, path: string, object: object) =>
  answered(server, 'POST', path, { apiVersion: 'v1', ...object })

const answered = async (server: ApiServer, method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => {
  const { status, body: answer } = await request(server, method, path, body)
  if (status >= 300) throw new Error(`${method} ${path} was answered ${status}: ${JSON.stringify(answer)}`)
}

/** Data is on channel 0, errors are on channel 1; the first frame of each has the port. */
const forwardTo = (port: number, socket: Duplex): void => {
  const number = Buffer.of(port & 0xff, port >> 8)
  for (const channel of [0, 1]) socket.write(frame(Buffer.concat([Buffer.of(channel), number])))
  const target = connect(port, '127.0.0.1')
  target.on('data', (chunk) => socket.write(frame(Buffer.concat([Buffer.of(0), chunk]))))
  target.on('error', (error) => socket.write(frame(Buffer.concat([Buffer.of(1), Buffer.from(error.message)]))))
  target.on('close', () => socket.end())
  socket.on('error', () => target.destroy()).on('close', () => target.destroy())
  let unread: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk])
    for (let found = unmasked(unread); found; found = unmasked(unread)) {
      unread = unread.subarray(found.end)
      if (found.is === 'close') socket.end()
      else target.write(found.content.subarray(1))
    }
  })
}

/** A frame with bytes, as a server sends it. https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
const frame = (content: Buffer): Buffer => {
  const head = Buffer.alloc(10)
  head[0] = 0x82
  head[1] = 127
  head.writeBigUInt64BE(BigInt(content.length), 2)
  return Buffer.concat([head, content])
}

/** The first frame of a client; `undefined` until all of it is there. */
const unmasked = (bytes: Buffer): { is: 'data' | 'close'; content: Buffer; end: number } | undefined => {
  const short = (bytes[1] ?? 0) & 0x7f
  const at = short === 126 ? 4 : short === 127 ? 10 : 2
  if (bytes.length < at + 4) return undefined
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
  const end = at + 4 + length
  if (bytes.length < end) return undefined
  const mask = bytes.subarray(at, at + 4)
  const content = Buffer.from(bytes.subarray(at + 4, end).map((byte, index) => byte ^ (mask[index % 4] ?? 0)))
  return { is: ((bytes[0] ?? 0) & 0x0f) === 8 ? 'close' : 'data', content, end }
}
