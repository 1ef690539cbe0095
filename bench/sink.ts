import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'

/** An HTTP/1.1 subscriber that needs less CPU than any sender. */
export type Sink = {
  readonly port: number
  readonly url: string
  /**
   * Sets the function that is called for each POST before the answer, which waits for its promise: 200, or 400 where it returns
   * `refuse`.
   */
  receive(receiver: Receiver): void
  /** Closes the server and every connection. */
  close(): void
}

// biome-ignore lint/suspicious/noConfusingVoidType: most receivers return nothing
type Verdict = 'refuse' | undefined | void
export type Receiver = (body: Buffer) => Verdict | Promise<Verdict>

const ok = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
const refused = Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
const endOfHead = '\r\n\r\n'

/**
 * Listens on a free port of 127.0.0.1. Node's own server needs three times the CPU, which would hide the cost of
 * senders.
 */
export const startSink = async (): Promise<Sink> => {
  let receiver: Receiver = () => undefined
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    serve(socket, (body) => receiver(body))
    // A sender resets its connections when it is stopped.
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    receive: (next) => {
      receiver = next
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Splits the bytes into requests. Some senders probe with GET first; those are answered and not counted. */
const serve = (socket: Socket, receiver: Receiver): void => {
  let unread: Buffer | undefined
  const answer = (verdict: Verdict): void => void socket.write(verdict === 'refuse' ? refused : ok)
  socket.on('data', (chunk: Buffer) => {
    let buffer = unread === undefined ? chunk : Buffer.concat([unread, chunk])
    unread = undefined
    while (buffer.length > 0) {
      const request = nextRequest(buffer)
      if (request === undefined) {
        unread = buffer
        return
      }
      buffer = buffer.subarray(request.end)
      const verdict = request.isPost ? receiver(request.body) : undefined
      if (verdict instanceof Promise) void verdict.then(answer)
      else answer(verdict)
    }
  })
}

type Request = { readonly isPost: boolean; readonly body: Buffer; readonly end: number }

/** The request at the start of the buffer, or `undefined` while it is not complete. */
const nextRequest = (buffer: Buffer): Request | undefined => {
  const headEnd = buffer.indexOf(endOfHead)
  if (headEnd === -1) return undefined
  const head = buffer.toString('latin1', 0, headEnd)
  const start = headEnd + endOfHead.length
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const body =
    length === undefined && isChunked(head) ? chunks(buffer, start) : plain(buffer, start, Number(length ?? 0))
  return body && { isPost: head.startsWith('POST'), ...body }
}

const isChunked = (head: string): boolean => /\r\ntransfer-encoding: *chunked/i.test(head)

const plain = (buffer: Buffer, start: number, length: number): Pick<Request, 'body' | 'end'> | undefined => {
  const end = start + length
  return buffer.length < end ? undefined : { body: buffer.subarray(start, end), end }
}

const chunks = (buffer: Buffer, start: number): Pick<Request, 'body' | 'end'> | undefined => {
  const parts: Buffer[] = []
  for (let at = start; ; ) {
    const lineEnd = buffer.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(buffer.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (buffer.length < end + 2) return undefined
    if (size === 0) return { body: Buffer.concat(parts), end: end + 2 }
    parts.push(buffer.subarray(lineEnd + 2, end))
    at = end + 2
  }
}
