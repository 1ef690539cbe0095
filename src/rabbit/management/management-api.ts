import { aborted } from 'node:util'
import { Pool } from 'undici'
import { FencedRequest, fenceRequests } from '../../async/fence-requests.ts'
import { BrokerError } from '../broker-error.ts'
import type { Endpoint } from '../endpoint.ts'
import { noConnection } from '../no-connection.ts'
import { boundedText, TooLong } from './bounded-text.ts'
import { refusal } from './refusal.ts'

/** A broker that hangs counts as unreachable, which must show within ten seconds. */
const answerWithinMs = 5_000

/** From the request to the last byte of the answer, however steadily it trickles. */
const wholeWithinMs = 20_000

/** Some 90,000 queues. */
const longestAnswer = 32 * 2 ** 20

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
export const managementApi = (endpoint: Endpoint, fence: () => void): ManagementApi => {
  const base = new URL(endpoint.management)
  const pool = new Pool(base.origin, {
    // A broker with many queues applies policies slowly and one after the other: more at once would only wait longer.
    connections: 8,
    headersTimeout: answerWithinMs,
    bodyTimeout: answerWithinMs,
    connect: {
      timeout: 5_000,
      ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }),
      ...(endpoint.lookup === undefined ? {} : { lookup: endpoint.lookup }),
    },
  })
  const fenced = pool.compose(fenceRequests(fence))
  const prefix = base.pathname === '/' ? '' : base.pathname
  const authorization = `Basic ${Buffer.from(`${endpoint.username}:${endpoint.password}`).toString('base64')}`

  const where = {
    what: `The management API at ${base.host}`,
    host: base.hostname,
    secure: base.protocol === 'https:',
    otherScheme: `write ${base.protocol === 'https:' ? 'http' : 'https'}:// in the key management_uri of the Secret`,
  }

  const call = async (method: Method, path: string, ended: AbortSignal, body?: unknown) => {
    const limit = AbortSignal.timeout(wholeWithinMs)
    const signal = AbortSignal.any([ended, limit])
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
      text = await boundedText(answer.body, longestAnswer)
    } catch (error) {
      ended.throwIfAborted()
      if (error instanceof FencedRequest) throw error.cause
      if (limit.aborted) {
        const message = `${where.what} did not finish its answer within ${wholeWithinMs / 1000} s`
        throw new BrokerError('unreachable', message, { cause: error })
      }
      if (error instanceof TooLong) throw new BrokerError('unreachable', `${where.what} ${error.message}`)
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
