import { Pool } from 'undici'
import type { Arguments, Binding, Change, Observed, Policy, QueueState } from '../topology/topology.ts'
import type { Endpoint } from './endpoint.ts'

/** What the broker answered, decided by status code; the message is the broker's own reason. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly kind: 'unreachable' | 'credentials' | 'refused' | 'not-empty'

  constructor(kind: BrokerError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** One virtual host over the management HTTP API: read as a whole, changed one object at a time. */
export type Management = {
  /** @throws BrokerError */
  observe(signal: AbortSignal): Promise<Observed>
  /** Idempotent, but for `delete-queue` `if-empty` on a queue with messages: `not-empty`. @throws BrokerError */
  apply(change: Change, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** A broker that hangs is as good as one that is away. */
const answerWithinMs = 15_000

/** https://www.rabbitmq.com/docs/http-api-reference */
export const connectManagement = (endpoint: Endpoint): Management => {
  const base = new URL(endpoint.management)
  const pool = new Pool(base.origin, {
    connections: 16,
    headersTimeout: answerWithinMs,
    bodyTimeout: answerWithinMs,
    connect: { timeout: 5_000, ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }) },
  })
  const prefix = base.pathname === '/' ? '' : base.pathname
  const authorization = `Basic ${Buffer.from(`${endpoint.username}:${endpoint.password}`).toString('base64')}`
  const vhost = encodeURIComponent(endpoint.vhost)

  const call = async (method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, signal: AbortSignal, body?: unknown) => {
    let status: number
    let text: string
    try {
      const answer = await pool.request({
        method,
        path: `${prefix}/api${path}`,
        headers: { authorization, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        signal,
      })
      status = answer.statusCode
      text = await answer.body.text()
    } catch (error) {
      signal.throwIfAborted()
      const why = error instanceof Error ? ('code' in error && String(error.code)) || error.message : String(error)
      throw new BrokerError('unreachable', `The management API at ${base.host} did not answer: ${why}`, {
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

  return {
    async observe(signal) {
      const [definitions, states] = await Promise.all([
        get<Definitions>(`/definitions/${vhost}`, signal),
        get<ListedQueue[]>(`/queues/${vhost}?${totalsOnly}`, signal),
      ])
      return observedOf(definitions, states)
    },

    async apply(change, signal) {
      switch (change.do) {
        case 'declare-exchange': {
          const { name, type, arguments: args } = change.exchange
          await call('PUT', `/exchanges/${vhost}/${encodeURIComponent(name)}`, signal, {
            type,
            durable: true,
            arguments: args,
          })
          return
        }
        case 'declare-queue': {
          const { name, durable, arguments: args } = change.queue
          await call('PUT', `/queues/${vhost}/${encodeURIComponent(name)}`, signal, { durable, arguments: args })
          return
        }
        case 'put-policy': {
          const { name, applyTo, ...policy } = change.policy
          await call('PUT', `/policies/${vhost}/${encodeURIComponent(name)}`, signal, {
            ...policy,
            'apply-to': applyTo,
          })
          return
        }
        case 'bind': {
          const { routingKey, arguments: args } = change.binding
          await call('POST', bindingPath(change.binding), signal, { routing_key: routingKey, arguments: args })
          return
        }
        case 'unbind': {
          const path = bindingPath(change.binding)
          const listed = await get<(ListedBinding & { properties_key: string })[]>(path, signal)
          const same = listed.find((binding) => isSame(binding, change.binding))
          if (same) await call('DELETE', `${path}/${encodeURIComponent(same.properties_key)}`, signal)
          return
        }
        case 'delete-queue': {
          const path = `/queues/${vhost}/${encodeURIComponent(change.queue)}`
          if (change.only === 'if-empty') await proveEmpty(path, change.queue, signal)
          await call('DELETE', path, signal)
          return
        }
        case 'delete-exchange':
          await call('DELETE', `/exchanges/${vhost}/${encodeURIComponent(change.exchange)}`, signal)
          return
        case 'delete-policy':
          await call('DELETE', `/policies/${vhost}/${encodeURIComponent(change.policy)}`, signal)
      }
    },

    close: () => pool.destroy(),
  }

  function bindingPath({ source, destination }: Binding): string {
    return `/bindings/${vhost}/e/${encodeURIComponent(source)}/q/${encodeURIComponent(destination)}`
  }

  /** A `get` is answered by the leader of the queue, or fails: unlike the counts it cannot call a full queue empty. */
  async function proveEmpty(path: string, queue: string, signal: AbortSignal): Promise<void> {
    const question = { count: 1, ackmode: 'ack_requeue_true', encoding: 'base64', truncate: 1 }
    const messages: unknown = JSON.parse(await call('POST', `${path}/get`, signal, question))
    if (Array.isArray(messages) && messages.length === 0) return
    throw new BrokerError('not-empty', `Queue ${queue} holds messages`)
  }
}

/** Unpaged on purpose: every page of the listing sorts all queues. */
const totalsOnly =
  'disable_stats=true&enable_queue_totals=true&columns=name,state,messages,messages_ready,messages_unacknowledged,policy'

type ListedBinding = {
  source: string
  destination: string
  destination_type: string
  routing_key: string
  arguments: Arguments
}

type Definitions = {
  rabbit_version: string
  exchanges: { name: string; type: string; arguments: Arguments }[]
  queues: { name: string; durable: boolean; arguments: Arguments }[]
  bindings: ListedBinding[]
  policies: { name: string; pattern: string; 'apply-to': Policy['applyTo']; priority: number; definition: Arguments }[]
}

type ListedQueue = {
  name: string
  state?: string
  messages?: number
  messages_ready?: number
  messages_unacknowledged?: number
  policy?: string
}

const observedOf = (definitions: Definitions, listed: readonly ListedQueue[]): Observed => ({
  version: definitions.rabbit_version,
  exchanges: definitions.exchanges,
  queues: definitions.queues,
  bindings: definitions.bindings
    .filter(({ destination_type }) => destination_type === 'queue')
    .map(({ source, destination, routing_key, arguments: args }) => ({
      source,
      destination,
      routingKey: routing_key,
      arguments: args,
    })),
  policies: definitions.policies.map(({ 'apply-to': applyTo, name, pattern, priority, definition }) => ({
    name,
    pattern,
    applyTo,
    priority,
    definition,
  })),
  states: new Map(listed.map((queue) => [queue.name, stateOf(queue)])),
})

const stateOf = (queue: ListedQueue): QueueState => ({
  name: queue.name,
  state: queue.state ?? 'unknown',
  messages: queue.messages ?? 0,
  ready: queue.messages_ready ?? 0,
  unacknowledged: queue.messages_unacknowledged ?? 0,
  policy: queue.policy ?? '',
})

const isSame = (listed: ListedBinding, wanted: Binding): boolean => {
  const [a, b] = [listed.arguments, wanted.arguments]
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return listed.routing_key === wanted.routingKey && [...keys].every((key) => a[key] === b[key])
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
  const kind = status >= 500 ? 'unreachable' : 'refused'
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
