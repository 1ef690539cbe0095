import { aborted } from 'node:util'
import { Pool } from 'undici'
import { FencedRequest, fenceRequests } from '../../async/fence-requests.ts'
import { BrokerError } from '../broker-error.ts'
import type { Endpoint } from '../endpoint.ts'

/** A broker that hangs counts as unreachable, which must show within ten seconds. */
const answerWithinMs = 5_000

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
      text = await answer.body.text()
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof FencedRequest) throw error.cause
      throw new BrokerError('unreachable', `The management API at ${base.host} did not answer: ${why(error)}`, {
        cause: error,
      })
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

const why = (error: unknown): string => {
  const { code, message }: { code?: unknown; message?: unknown } = Object(error)
  return String(code ?? message ?? error)
}

const refusal = (status: number, text: string, { username, vhost }: Endpoint): BrokerError => {
  const reason = reasonOf(text)
  if (status === 401) {
    const hint = `check username and password of the Secret, and that the user has the tag policymaker or administrator`
    return new BrokerError('credentials', `The management API refused user ${username} (${reason}): ${hint}`)
  }
  if (reason.includes('vhost_not_found') || (status === 404 && reason.includes('Not Found'))) {
    return new BrokerError('refused', `Virtual host ${vhost} does not exist: create it with rabbitmqctl add_vhost`)
  }
  const kind = status >= 500 ? 'unreachable' : status === 404 ? 'missing' : 'refused'
  return new BrokerError(kind, `The broker answered ${status}: ${reason}`)
}

const reasonOf = (text: string): string => {
  try {
    const { reason, error } = JSON.parse(text) as { reason?: unknown; error?: unknown }
    return String(reason ?? error ?? text)
      .trim()
      .replace(/\s+/g, ' ')
      .slice(0, 300)
  } catch {
    return text.slice(0, 100).replace(/\s+/g, ' ')
  }
}
