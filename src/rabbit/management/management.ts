import type { Change } from '../../topology/change.ts'
import type { Observed } from '../../topology/topology.ts'
import { openDeclarations } from '../amqp/declarations.ts'
import { BrokerError } from '../broker-error.ts'
import type { Endpoint } from '../endpoint.ts'
import { naming } from './lacking.ts'
import { type ManagementApi, managementApi } from './management-api.ts'
import { readVhost } from './observe.ts'
import { requirePolicymaker } from './refusal.ts'

/** One virtual host: read as a whole, changed one object at a time. */
export type Management = {
  /** @throws BrokerError */
  observe(signal: AbortSignal): Promise<Observed>
  /** Checks only that it answers, accepts the credentials, and that the user has the tag that it needs. @throws BrokerError */
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

  const make = async (change: Change, signal: AbortSignal): Promise<void> => {
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
  }

  return {
    async observe(signal) {
      return readVhost(get, vhost, signal)
    },

    async probe(signal) {
      const limit = AbortSignal.timeout(probeWithinMs)
      try {
        const { tags } = await get<{ tags?: string[] | string }>('/whoami', AbortSignal.any([signal, limit]))
        requirePolicymaker(tags, endpoint.username)
      } catch (error) {
        signal.throwIfAborted()
        if (error !== limit.reason) throw error
        const message = `The management API at ${new URL(endpoint.management).host} did not answer within ${probeWithinMs / 1000} s`
        throw new BrokerError('unreachable', message, { cause: error })
      }
    },

    apply: (change, signal) =>
      make(change, signal).catch((error: unknown) => {
        throw naming(error, change, endpoint.username)
      }),

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
