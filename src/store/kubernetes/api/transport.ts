import { buildConnector, type Dispatcher, Pool } from 'undici'
import { FencedRequest, fenceRequests } from '../../../async/fence-requests.ts'
import type { Cluster } from '../cluster/cluster.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export type TransportOptions = {
  /** Names the process in the server's logs: `waybill/<component>`. */
  readonly component: string
  readonly metrics: {
    /** `verb` as in RBAC, `code` the HTTP status or `none`. */
    readonly apiRequests: { inc(labels: { verb: string; code: string }): void }
  }
}

export type Sent = Omit<Dispatcher.RequestOptions, 'query' | 'headers'> & {
  readonly query?: Query | undefined
  /** As in RBAC. */
  readonly verb: string
  /** Default: `application/json`. */
  readonly contentType?: string | undefined
  /** In place of the headers that identify us. */
  readonly authorization?: string | undefined
  /** Does not wait for one of the 32 connections. */
  readonly urgent?: boolean | undefined
  /** Called at the moment the request is sent; throwing prevents it, and it fails with {@link FencedRequest}. */
  readonly fence?: (() => void) | undefined
}

/** HTTP/1.1 to the API server, with credentials and metrics. Requests share 32 connections, but for urgent ones. */
export type Transport = {
  send(request: Sent): Promise<Dispatcher.ResponseData>
  close(): Promise<void>
}

const connectWithinMs = 5_000

export const createTransport = (cluster: Cluster, { component, metrics }: TransportOptions): Transport => {
  const base = new URL(cluster.server)
  const prefix = base.pathname.replace(/\/+$/, '')
  // Certificates are renewed, so each connection reads the present ones.
  const connect: buildConnector.connector = (options, callback) =>
    buildConnector({ ...cluster.tls, allowH2: false, timeout: connectWithinMs })(options, callback)
  const options = { connect, allowH2: false, keepAliveTimeout: 30_000 }
  const pool = new Pool(base.origin, { ...options, connections: 32 })
  const unlimited = new Pool(base.origin, options)

  return {
    async send({ verb, path, query, authorization, contentType = 'application/json', urgent = false, fence, ...rest }) {
      const via = urgent ? unlimited : pool
      const headers = {
        ...(authorization === undefined ? await cluster.headers() : { authorization }),
        accept: 'application/json',
        'content-type': contentType,
        'user-agent': `waybill/${component}`,
      }
      const request = { ...rest, path: prefix + path + queryText(query), headers }
      try {
        const answer = await (fence ? via.compose(fenceRequests(fence)) : via).request(request)
        metrics.apiRequests.inc({ verb, code: String(answer.statusCode) })
        return answer
      } catch (error) {
        if (!(error instanceof FencedRequest)) metrics.apiRequests.inc({ verb, code: 'none' })
        throw error
      }
    },
    async close() {
      await Promise.all([pool.destroy(), unlimited.destroy()])
    },
  }
}

const queryText = (query: Query = {}): string => {
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) parameters.set(key, String(value))
  return parameters.size === 0 ? '' : `?${parameters}`
}
