import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { kinds } from '../../../src/api/kinds/kinds.ts'
import type { Cluster } from '../../../src/store/kubernetes/cluster/cluster.ts'
import type { ApiServer } from './server.ts'

const collections = new RegExp(`/(${kinds.map(({ plural }) => plural).join('|')})$`)

/** A request that passed the proxy. */
export type Seen = {
  readonly verb: 'get' | 'list' | 'watch' | 'post' | 'put' | 'patch'
  readonly path: string
  readonly query: URLSearchParams
}

/** An answer instead of the API server's own; `reason` as in a Status. */
export type Fault = { readonly status: number; readonly reason?: string; readonly headers?: Record<string, string> }

/** A proxy to the API server that simulates failures of the network and of the server. */
export type FaultyProxy = {
  /** The connection to the proxy, with this token or as administrator. */
  cluster(token?: string): Cluster
  /** All requests so far. */
  readonly seen: readonly Seen[]
  count(verb: Seen['verb'], part?: string): number
  /**
   * Called for each request: `undefined` forwards it, `hang` never answers, `cut` closes the connection after the
   * server has answered.
   */
  fault: (seen: Seen) => Fault | 'hang' | 'cut' | undefined
  /** How many connections were opened so far. */
  readonly connections: number
  /** How many watches are open. */
  readonly watches: number
  /** Closes all watches. */
  cutWatches(): void
  /** Writes a line into all watches as if the server had sent it. */
  inject(line: string): void
  /** Withholds what the server sends on the open watches, without closing them; new ones are not affected. */
  holdWatches(): void
  /** Forwards what was withheld. */
  releaseWatches(): void
  /** The page size of lists, whatever the client asks for; 0 leaves the choice to the client. */
  pageSize: number
  close(): Promise<void>
}

export const faultyProxy = async (server: ApiServer): Promise<FaultyProxy> => {
  const target = new URL(server.url)
  const agent = new Agent({ keepAlive: true, ca: readFileSync(server.caFile) })
  const seen: Seen[] = []
  const watches = new Map<ServerResponse, IncomingMessage>()

  const proxy = createServer((from, to) => {
    const one = seenIn(from)
    seen.push(one)
    const fault = self.fault(one)
    if (fault === 'hang') return
    if (fault && fault !== 'cut') return answer(to, fault)
    const { method, headers } = from
    if (self.pageSize > 0 && one.verb === 'list') one.query.set('limit', String(self.pageSize))
    const path = `${one.path}?${one.query}`
    const onward = request({ agent, host: target.hostname, port: target.port, method, path, headers })
    const end = () => {
      watches.delete(to)
      onward.destroy()
      to.destroy()
    }
    onward.on('error', end).on('response', (back) => {
      back.on('error', end)
      if (fault === 'cut') {
        back.resume().on('end', end)
        return
      }
      to.writeHead(back.statusCode ?? 502, back.headers)
      to.flushHeaders()
      if (one.verb === 'watch' && back.statusCode === 200) watches.set(to, back)
      back.pipe(to)
    })
    from.pipe(onward)
    to.on('error', end).on('close', end)
  })
  let connections = 0
  proxy.on('connection', () => {
    connections += 1
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo

  const self: FaultyProxy = {
    cluster: (token = server.token) => ({
      server: `http://127.0.0.1:${port}`,
      tls: {},
      headers: async () => ({ authorization: `Bearer ${token}` }),
      namespace: 'default',
    }),
    seen,
    count: (verb, part = '') => seen.filter((one) => one.verb === verb && one.path.includes(part)).length,
    fault: () => undefined,
    get connections() {
      return connections
    },
    get watches() {
      return watches.size
    },
    cutWatches() {
      for (const to of watches.keys()) to.destroy()
    },
    inject(line) {
      for (const to of watches.keys()) to.write(`${line}\n`)
    },
    holdWatches() {
      for (const [to, back] of watches) back.unpipe(to)
    },
    releaseWatches() {
      for (const [to, back] of watches) back.pipe(to)
    },
    pageSize: 0,
    async close() {
      proxy.close()
      proxy.closeAllConnections()
      agent.destroy()
      await once(proxy, 'close')
    },
  }
  return self
}

const seenIn = ({ method = '', url = '' }: IncomingMessage): Seen => {
  const { pathname: path, searchParams: query } = new URL(url, 'http://proxy')
  const isCollection = collections.test(path)
  const read = query.has('watch') ? 'watch' : isCollection ? 'list' : 'get'
  return { verb: method === 'GET' ? read : (method.toLowerCase() as Seen['verb']), path, query }
}

const answer = (to: ServerResponse, { status, reason = 'InternalError', headers = {} }: Fault): void => {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code: status,
    reason,
    message: 'an injected fault',
  }
  to.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
