import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An HTTP proxy that records the requests to the server behind it. */
export type HttpRecorder = {
  readonly url: string
  /** `GET /api/overview`, in order. */
  readonly requests: string[]
  close(): Promise<void>
}

/** `instead` may answer for the server: with a status and no more. */
export const httpRecorder = async (
  target: string,
  instead: (method: string, path: string) => number | undefined = () => undefined,
): Promise<HttpRecorder> => {
  const { hostname, port } = new URL(target)
  const requests: string[] = []
  const server = createServer((incoming, answer) => {
    const { method = '', url: path = '/', headers } = incoming
    requests.push(`${method} ${path}`)
    const status = instead(method, path)
    if (status !== undefined) {
      incoming.resume()
      answer.writeHead(status, { 'content-type': 'application/json' }).end('{"error":"crashed","reason":"by a test"}')
      return
    }
    const onward = request({ hostname, port, method, path, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(answer)
    })
    onward.on('error', () => answer.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
