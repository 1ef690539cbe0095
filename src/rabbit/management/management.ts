import type { Change } from '../../topology/change.ts'
import type { Arguments, Observed, Policy, QueueState } from '../../topology/topology.ts'
import { openDeclarations } from '../amqp/declarations.ts'
import { BrokerError } from '../broker-error.ts'
import type { Endpoint } from '../endpoint.ts'
import { type ManagementApi, managementApi } from './management-api.ts'

/** One virtual host: read as a whole, changed one object at a time. */
export type Management = {
  /** @throws BrokerError */
  observe(signal: AbortSignal): Promise<Observed>
  /** Checks only that it answers and accepts the credentials. @throws BrokerError */
  probe(signal: AbortSignal): Promise<void>
  /** Idempotent. `delete-queue` `if-empty` fails with `not-empty` on a queue with messages. @throws BrokerError */
  apply(change: Change, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** A broker that does not even answer `whoami` within this time counts as unreachable. */
const probeWithinMs = 2_500

/**
 * Reads, policies and deletions go over the management API. Declarations go over AMQP, which takes about half as long: for
 * every declaration over HTTP the broker opens an AMQP connection to itself. `fence` is called right before anything is sent
 * that changes the broker; an error that it throws prevents that and is rethrown.
 */
export const connectManagement = (endpoint: Endpoint, fence: () => void = () => {}): Management => {
  const { call, get, close } = managementApi(endpoint, fence)
  const declarations = openDeclarations(endpoint, fence)
  const vhost = encodeURIComponent(endpoint.vhost)

  return {
    async observe(signal) {
      const [definitions, exchanges, states] = await Promise.all([
        get<Definitions>(`/definitions/${vhost}`, signal),
        get<ListedExchange[]>(`/exchanges/${vhost}?disable_stats=true&columns=name,policy`, signal),
        get<ListedQueue[]>(`/queues/${vhost}?${totalsOnly}`, signal),
      ])
      return observedOf(definitions, exchanges, states)
    },

    async probe(signal) {
      const limit = AbortSignal.timeout(probeWithinMs)
      try {
        await call('GET', '/whoami', AbortSignal.any([signal, limit]))
      } catch (error) {
        signal.throwIfAborted()
        if (error !== limit.reason) throw error
        const message = `The management API at ${new URL(endpoint.management).host} did not answer within ${probeWithinMs / 1000} s`
        throw new BrokerError('unreachable', message, { cause: error })
      }
    },

    async apply(change, signal) {
      switch (change.do) {
        case 'declare-exchange':
        case 'declare-queue':
        case 'bind':
        case 'unbind':
        case 'delete-exchange':
          return declarations.apply(change)
        case 'put-policy': {
          const { name, applyTo, ...policy } = change.policy
          await call('PUT', `/policies/${vhost}/${encodeURIComponent(name)}`, signal, {
            ...policy,
            'apply-to': applyTo,
          })
          return
        }
        case 'delete-queue': {
          const path = `/queues/${vhost}/${encodeURIComponent(change.queue)}`
          if (change.only === 'if-empty') await proveEmpty(call, path, change.queue, signal)
          await call('DELETE', path, signal)
          return
        }
        case 'delete-policy':
          await call('DELETE', `/policies/${vhost}/${encodeURIComponent(change.policy)}`, signal)
      }
    },

    close: async () => {
      await Promise.all([close(), declarations.close()])
    },
  }
}

/** A `get` is answered by the leader of the queue or fails: unlike the counts, it never reports a full queue as empty. */
const proveEmpty = async (
  call: ManagementApi['call'],
  path: string,
  queue: string,
  signal: AbortSignal,
): Promise<void> => {
  const question = { count: 1, ackmode: 'ack_requeue_true', encoding: 'base64', truncate: 1 }
  try {
    const messages: unknown = JSON.parse(await call('POST', `${path}/get`, signal, question))
    if (Array.isArray(messages) && messages.length === 0) return
  } catch (error) {
    if (error instanceof BrokerError && error.kind === 'missing') return
    throw error
  }
  throw new BrokerError('not-empty', `Queue ${queue} holds messages`)
}

/** Not paged: the broker sorts all queues for every page. */
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

type ListedExchange = { name: string; policy?: string }

type ListedQueue = {
  name: string
  state?: string
  messages?: number
  messages_ready?: number
  messages_unacknowledged?: number
  policy?: string
}

const observedOf = (
  definitions: Definitions,
  exchanges: readonly ListedExchange[],
  listed: readonly ListedQueue[],
): Observed => ({
  version: definitions.rabbit_version,
  exchanges: withPolicies(definitions.exchanges, exchanges),
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

/** One that came between the two answers has no policy that is known. */
const withPolicies = (all: Definitions['exchanges'], listed: readonly ListedExchange[]): Observed['exchanges'] => {
  const inForce = new Map(listed.map(({ name, policy = '' }) => [name, policy]))
  return all.map((exchange) => {
    const policy = inForce.get(exchange.name)
    return policy === undefined ? exchange : { ...exchange, policy }
  })
}

const stateOf = (queue: ListedQueue): QueueState => ({
  name: queue.name,
  state: queue.state ?? 'unknown',
  messages: queue.messages ?? 0,
  ready: queue.messages_ready ?? 0,
  unacknowledged: queue.messages_unacknowledged ?? 0,
  policy: queue.policy ?? '',
})
