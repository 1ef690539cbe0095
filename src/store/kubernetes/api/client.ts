/**
 * The API server as the rest of `store/kubernetes` uses it: requests, watches, errors, paths. What is cached, watched
 * again or led belongs into the folders beside this one.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { type Backoff, backoffMs } from '../../../async/backoff.ts'
import { FencedRequest } from '../../../async/fence-requests.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { ApiError, refusal, unanswered } from './api-error.ts'
import { createTransport, type Query, type Transport, type TransportOptions } from './transport.ts'
import { type WatchEvent, watchEvents } from './watch-events.ts'

export type ApiRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
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
  /** Whose request it is; those of the cluster's configuration when left out. */
  readonly authorization?: string
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
   * Watches until the server ends it. Resolves once the server has agreed. `endsWithinMs` is for the whole watch: one that
   * lasts longer than requested is on a dead connection. @throws ApiError, and so do the events
   */
  watch(path: string, query: Query, endsWithinMs: number, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>>
  /** The namespace that the cluster's configuration names. */
  readonly namespace: string
  close(): Promise<void>
}

export type ClientOptions = TransportOptions

const answerWithinMs = 10_000
const retryBackoff: Backoff = { first: 300, most: 10_000 }

/** Connects to the API server of a cluster; nothing is sent yet. */
export const createClient = (cluster: Cluster, options: ClientOptions): Client => {
  const transport = createTransport(cluster, options)

  return {
    async request<T>(request: ApiRequest, signal?: AbortSignal): Promise<T> {
      const { method, tries = method === 'POST' || method === 'PUT' ? 1 : 4 } = request
      for (let failures = 1; ; failures++) {
        try {
          return (await tryOnce(transport, request, signal)) as T
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
      const request = { method: 'GET', path, query: { ...query, watch: true }, ...timeouts, signal: until } as const
      try {
        const { statusCode, headers, body } = await transport.send({ ...request, verb: 'watch', urgent: true })
        if (statusCode === 200) return watchEvents(what, body, signal)
        throw refusal(what, statusCode, await body.text(), headers['retry-after'])
      } catch (error) {
        signal.throwIfAborted()
        throw unanswered(what, error)
      }
    },

    namespace: cluster.namespace,
    close: transport.close,
  }
}

const tryOnce = async (
  transport: Transport,
  { timeoutMs = answerWithinMs, tries: _, body, ...request }: ApiRequest,
  signal: AbortSignal | undefined,
): Promise<unknown> => {
  const what = `${request.method} ${request.path}`
  let answer: Dispatcher.ResponseData
  let text: string
  try {
    answer = await transport.send({
      ...request,
      verb: request.method.toLowerCase(),
      body: body === undefined ? null : JSON.stringify(body),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: signal ?? null,
    })
    text = await answer.body.text()
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof FencedRequest) throw error.cause
    throw unanswered(what, error)
  }
  if (answer.statusCode >= 300) throw refusal(what, answer.statusCode, text, answer.headers['retry-after'])
  return parsed(what, text)
}

const parsed = (what: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `${what}: the answer is not JSON: is it a Kubernetes API server?`
    throw new ApiError({ status: 0, reason: 'NotJson' }, message, { cause })
  }
}

/** When to try again: after 429 and 503, where the server says when, and where there was no answer at all. */
const retryInMs = ({ status, retryAfterMs }: ApiError, failures: number): number | undefined => {
  if (![0, 429, 503].includes(status) && retryAfterMs === undefined) return undefined
  const askedMs = (retryAfterMs ?? 0) * (1 + Math.random() / 2)
  return Math.min(retryBackoff.most, Math.max(askedMs, backoffMs(failures, retryBackoff)))
}
