import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export type Received = {
  /** When the request was complete, in ms since 1970. */
  readonly at: number
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The status of the answer; `undefined` while the request is held, or if the connection broke before. */
  status?: number
}

export type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly afterMs?: number
}

/** How a request is answered: with a status, an answer, a promise of either, or not at all. */
export type Behaviour = (received: Received) => Answered | Promise<Answered>
type Answered = number | Answer | 'hang' | 'reset'

export type Subscriber = {
  readonly url: string
  readonly port: number
  /** Every request so far, in the order in which they were completed. */
  readonly received: Received[]
  /** How requests are answered from now on; 204 at first. */
  answer(with_: Behaviour | Answered): void
  /** Closes the server and every connection; new connections are refused. */
  close(): Promise<void>
  /** Listens again on the same port. */
  open(): Promise<void>
}

/** A real HTTP server on 127.0.0.1 that records every request. Port 0 picks a free port. */
export const startSubscriber = async (port = 0): Promise<Subscriber> => {
  const received: Received[] = []
  let behaviour: Behaviour = () => 204
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return // The sender disconnected before the request was complete: nothing was received.
    }
    const { url: path = '/', headers } = request
    const one: Received = { at: Date.now(), path, headers, body: Buffer.concat(chunks) }
    received.push(one)
    await reply(one, response, await behaviour(one))
  })
  // Longer than the client's own timeout, so that the client closes idle connections.
  server.keepAliveTimeout = 60_000
  const listen = (on: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(on, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  await listen(port)
  const bound = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${bound}/`,
    port: bound,
    received,
    answer(with_) {
      behaviour = typeof with_ === 'function' ? with_ : () => with_
    },
    async close() {
      if (!server.listening) return
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
    open: () => listen(bound),
  }
}

const reply = async (one: Received, response: ServerResponse, answered: Answered): Promise<void> => {
  if (answered === 'hang') return
  if (answered === 'reset') {
    response.socket?.resetAndDestroy()
    return
  }
  const {
    status,
    headers = {},
    body = '',
    afterMs = 0,
  } = typeof answered === 'number' ? { status: answered } : answered
  if (afterMs > 0) await delay(afterMs)
  if (response.destroyed) return
  one.status = status
  response.writeHead(status, headers).end(body)
}
