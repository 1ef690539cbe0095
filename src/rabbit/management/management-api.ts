import { aborted } from 'node:util'
import { Pool } from 'undici'
import { FencedRequest, fenceRequests } from '../../async/fence-requests.ts'
import { BrokerError } from '../broker-error.ts'
import type { Endpoint } from '../endpoint.ts'
import { noConnection } from '../no-connection.ts'
import { type Bounds, boundedText, Unbounded } from './bounded-text.ts'
import { refusal } from './refusal.ts'

/** A broker that hangs counts as unreachable, which must show within ten seconds. */
const answerWithinMs = 5_000

/** A list of 2,000 queues is 0.7 MB long and takes 0.2 s: this is room for 90,000. */
const standard: Bounds = { wholeWithinMs: 20_000, longestAnswer: 32 * 2 ** 20 }

/** The management HTTP API of one broker. https://www.rabbitmq.com/docs/http-api-reference */
export type ManagementApi = {
  /** @throws BrokerError unless the answer is a success, or a 404 to a DELETE */
  call(method: Method, path: string, signal: AbortSignal, body?: unknown): Promise<string>
  /** @throws BrokerError */
  get<T>(path: string, signal: AbortSignal): Promise<T>
  close(): Promise<void>
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** `fence` is called right before any request but a GET is sent; an error that it throws prevents that and is rethrown. */
export const managementApi = (endpoint: Endpoint, fence: () => void, bounds: Bounds = standard): ManagementApi => {
  const base = new URL(endpoint.management)
  const pool = poolTo(base, endpoint)
  const fenced = pool.compose(fenceRequests(fence))
  const prefix = base.pathname === '/' ? '' : base.pathname
  const authorization = `Basic ${Buffer.from(`${endpoint.username}:${endpoint.password}`).toString('base64')}`

  const where = whereOf(base)

  const call = async (method: Method, path: string, signal: AbortSignal, body?: unknown) => {
    let status: number
    let text: string
    try {
      const request = (method === 'GET' ? pool : fenced).request({
        method,
        path: `${prefix}/api${path}`,
        headers: { authorization, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        signal,
      })
      // undici does not abort a request that waits for its connection.
      const answer = await Promise.race([request, aborted(signal, request).then(() => Promise.reject(signal.reason))])
      status = answer.statusCode
      text = await boundedText(answer.body, bounds)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof FencedRequest) throw error.cause
      if (error instanceof Unbounded) throw new BrokerError('unreachable', `${where.what} ${error.message}`)
      throw noConnection(error, where)
    }
    if (status < 300 || (status === 404 && method === 'DELETE')) return text
    throw refusal(status, text, endpoint)
  }

  const get = async <T>(path: string, signal: AbortSignal): Promise<T> => {
    const text = await call('GET', path, signal)
    try {
      return JSON.parse(text) as T
    } catch (cause) {
      throw new BrokerError(
        'unreachable',
        `${base.host} answered something other than JSON: is it the management API?`,
        { cause },
      )
    }
  }

  return { call, get, close: () => pool.destroy() }
}

const poolTo = (base: URL, { ca, lookup }: Endpoint): Pool =>
  new Pool(base.origin, {
    // A broker with many queues applies policies slowly and one after the other: more at once would only wait longer.
    connections: 8,
    headersTimeout: answerWithinMs,
    bodyTimeout: answerWithinMs,
    connect: {
      timeout: 5_000,
      ...(ca === undefined ? {} : { ca }),
      ...(lookup === undefined ? {} : { lookup }),
    },
  })

const whereOf = ({ protocol, host, hostname }: URL) => {
  const secure = protocol === 'https:'
  const otherScheme = `write ${secure ? 'http' : 'https'}:// in the key management_uri of the Secret`
  return { what: `The management API at ${host}`, host: hostname, secure, otherScheme }
}
