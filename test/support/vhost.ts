import { randomBytes } from 'node:crypto'
import { type Endpoint, endpointOf } from '../../src/rabbit/endpoint.ts'

export type Vhost = {
  readonly name: string
  readonly endpoint: Endpoint
  /** With user, password and this virtual host. */
  readonly amqpUrl: string
  /** Without credentials. */
  readonly managementUrl: string
  /** The content of a Secret for a Broker on this virtual host. */
  readonly secret: Readonly<Record<'connection_string' | 'management_uri', string>>
  /** One request to the management API; `path` starts after `/api`. @throws on an answer that is not 2xx */
  manage(method: string, path: string, body?: unknown): Promise<unknown>
  /** Deletes the virtual host with everything in it. */
  drop(): Promise<void>
}

/**
 * Creates a virtual host on the broker of `RABBITMQ_URL` and `RABBITMQ_MANAGEMENT_URL`, so that tests share nothing.
 */
export const freshVhost = async (prefix = 'waybill-test'): Promise<Vhost> => {
  const { RABBITMQ_URL, RABBITMQ_MANAGEMENT_URL } = process.env
  if (!RABBITMQ_URL || !RABBITMQ_MANAGEMENT_URL) {
    throw new Error('RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL are not set: start the tests with npm test')
  }
  const name = `${prefix}-${randomBytes(6).toString('hex')}`
  const secret = { connection_string: RABBITMQ_URL, management_uri: RABBITMQ_MANAGEMENT_URL }
  const endpoint = endpointOf(secret, name)
  const { username, password, management } = endpoint
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const manage = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const ask = () =>
      fetch(`${management}/api${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
      })
    // A busy broker may close a connection that was kept just when it is used again.
    const answer = await ask().catch((error: unknown) => {
      if (method === 'POST' || !(error instanceof TypeError)) throw error
      return ask()
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  const path = `/vhosts/${encodeURIComponent(name)}`
  await manage('PUT', path, {})
  const all = { configure: '.*', write: '.*', read: '.*' }
  await manage('PUT', `/permissions/${encodeURIComponent(name)}/${encodeURIComponent(username)}`, all)
  const amqpUrl = new URL(RABBITMQ_URL)
  amqpUrl.pathname = `/${encodeURIComponent(name)}`
  return {
    name,
    endpoint,
    amqpUrl: amqpUrl.href,
    managementUrl: management,
    secret,
    manage,
    drop: async () => {
      await manage('DELETE', path)
    },
  }
}
