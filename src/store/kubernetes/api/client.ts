import { setTimeout as delay } from 'node:timers/promises'
import { buildConnector, type Dispatcher, Pool } from 'undici'
import { backoffMs } from '../../../async/backoff.ts'
import { FencedRequest, fenceRequests } from '../../../async/fence-requests.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { ApiError, refusal, unanswered } from './api-error.ts'
import { type WatchEvent, watchEvents } from './watch-events.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export type ApiRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH'
  /** From the root of the server: `/apis/waybill.dev/v1alpha1/…`. */
  readonly path: string
  readonly query?: Query
  readonly body?: unknown
  /** Default: `application/json`. */
  readonly contentType?: string
  /** Tries in all, where the server is busy or does not answer. Default: 4, and 1 for POST and PUT. */
  readonly tries?: number
  /** For the answer to one try, once it is sent. Default: 10,000. */
  readonly timeoutMs?: number
  /** Does not wait behind other requests for a connection. */
  readonly urgent?: boolean
  /** Called at the moment a try is sent, which may be long after the request was made; throwing prevents it. */
  readonly fence?: (() => void) | undefined
}

/** The API server, over HTTP/1.1. Requests share 32 connections; each watch has one of its own. */
export type Client = {
  /** The JSON that the server answered with. @throws ApiError, the signal's reason, or what `fence` throws */
  request<T>(request: ApiRequest, signal?: AbortSignal): Promise<T>
  /**
   * Watches until the server ends it. Resolves once the server has accepted. `endsWithinMs` is for the whole watch: one
   * that lasts longer than requested is on a dead connection. @throws ApiError, and so do the events
   */
  watch(path: string, query: Query, endsWithinMs: number, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>>
  /** The namespace in the cluster's configuration. */
  readonly namespace: string
  close(): Promise<void>
}

export type ClientOptions = {
  /** Names the process in the server's logs: `waybill/<component>`. */
  readonly component: string
  readonly metrics: {
    /** `verb` as in RBAC, `code` the HTTP status or `none`. */
    readonly apiRequests: { inc(labels: { verb: string; code: string }): void }
  }
}

const answerWithinMs = 10_000
const connectWithinMs = 5_000
const backoff = { first: 400, most: 10_000 }

export const createClient = (cluster: Cluster, { component, metrics }: ClientOptions): Client => {
  const base = new URL(cluster.server)
  const prefix = base.pathname.replace(/\/+$/, '')
  // Certificates are renewed, so each connection reads them again.
  const connect: buildConnector.connector = (options, callback) =>
    buildConnector({ ...cluster.tls, allowH2: false, timeout: connectWithinMs })(options, callback)
  const options = { connect, allowH2: false, keepAliveTimeout: 30_000 }
  const pool = new Pool(base.origin, { ...options, connections: 32 })
  const unlimited = new Pool(base.origin, options)

  const send = async (
    via: Dispatcher,
    verb: string,
    { path, query, ...rest }: Omit<Dispatcher.RequestOptions, 'query' | 'headers'> & { query?: Query | undefined },
    contentType: string,
  ): Promise<Dispatcher.ResponseData> => {
    const headers = {
      ...(await cluster.headers()),
      accept: 'application/json',
      'content-type': contentType,
      'user-agent': `waybill/${component}`,
    }
    const answer = await via.request({ ...rest, path: prefix + path + queryText(query), headers }).catch((error) => {
      if (!(error instanceof FencedRequest)) metrics.apiRequests.inc({ verb, code: 'none' })
      throw error
    })
    metrics.apiRequests.inc({ verb, code: String(answer.statusCode) })
    return answer
  }

  const once = async <T>(request: ApiRequest, signal: AbortSignal | undefined): Promise<T> => {
    const { method, path, query, body, contentType = 'application/json', timeoutMs = answerWithinMs } = request
    const what = `${method} ${path}`
    const via = request.urgent ? unlimited : pool
    let answer: Dispatcher.ResponseData
    let text: string
    try {
      answer = await send(
        request.fence ? via.compose(fenceRequests(request.fence)) : via,
        method.toLowerCase(),
        {
          method,
          path,
          query,
          body: body === undefined ? null : JSON.stringify(body),
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
          signal: signal ?? null,
        },
        contentType,
      )
      text = await answer.body.text()
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof FencedRequest) throw error.cause
      throw unanswered(what, error)
    }
    if (answer.statusCode >= 300) throw refusal(what, answer.statusCode, text, answer.headers['retry-after'])
    return parsed(what, text) as T
  }

  return {
    async request<T>(request: ApiRequest, signal?: AbortSignal): Promise<T> {
      const { method, tries = method === 'POST' || method === 'PUT' ? 1 : 4 } = request
      for (let failures = 1; ; failures++) {
        try {
          return await once<T>(request, signal)
        } catch (error) {
          const waitMs = error instanceof ApiError ? retryInMs(error, failures) : undefined
          if (waitMs === undefined || failures >= tries) throw error
          await delay(waitMs, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted())
        }
      }
    },

    async watch(path, query, endsWithinMs, signal) {
      const what = `WATCH ${path}`
      const until = AbortSignal.any([signal, AbortSignal.timeout(endsWithinMs)])
      const timeouts = { headersTimeout: answerWithinMs, bodyTimeout: 0 }
      const asked = { method: 'GET', path, query: { ...query, watch: true }, ...timeouts, signal: until } as const
      try {
        const { statusCode, headers, body } = await send(unlimited, 'watch', asked, 'application/json')
        if (statusCode === 200) return watchEvents(what, body, signal)
        throw refusal(what, statusCode, await body.text(), headers['retry-after'])
      } catch (error) {
        signal.throwIfAborted()
        throw unanswered(what, error)
      }
    },

    namespace: cluster.namespace,
    close: async () => {
      await Promise.all([pool.destroy(), unlimited.destroy()])
    },
  }
}

const queryText = (query: Query = {}): string => {
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) parameters.set(key, String(value))
  return parameters.size === 0 ? '' : `?${parameters}`
}

const parsed = (what: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `${what}: the answer is not JSON: is it a Kubernetes API server?`
    throw new ApiError({ status: 0, reason: 'NotJson' }, message, { cause })
  }
}

/** When to retry: after 429 and 503, where the server says when, and where there was no answer at all. */
const retryInMs = ({ status, retryAfterMs }: ApiError, failures: number): number | undefined => {
  if (![0, 429, 503].includes(status) && retryAfterMs === undefined) return undefined
  const askedMs = (retryAfterMs ?? 0) * (1 + Math.random() / 2)
  return Math.min(backoff.most, Math.max(askedMs, backoffMs(failures, backoff)))
}
