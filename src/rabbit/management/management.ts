import { around, momentsOf } from '../../async/effects.ts'
import type { Change } from '../../topology/change.ts'
import type { Observed } from '../../topology/topology.ts'
import { openDeclarations } from '../amqp/declarations.ts'
import type { AmqpLog } from '../amqp/port.ts'
import { type PutBackOptions, putBack } from '../amqp/put-back.ts'
import { BrokerError } from '../broker-error.ts'
import type { Endpoint } from '../endpoint.ts'
import { naming } from './lacking.ts'
import { managementApi } from './management-api.ts'
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
  /** Moves messages of a queue to where their routing keys lead now; returns how many. */
  putBack(options: PutBackOptions, log: AmqpLog, signal: AbortSignal): Promise<number>
  close(): Promise<void>
}

const put = momentsOf('put-policy')
const removed = momentsOf('delete-policy')

/** A broker that does not even answer `whoami` within this time counts as unreachable. */
const probeWithinMs = 2_500

/**
 * Reads and policies go over the management API. Declarations and deletions go over AMQP, which takes about half as long: for
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
      case 'delete-queue':
        return declarations.apply(change)
      case 'put-policy': {
        const { name, applyTo, ...policy } = change.policy
        const body = { ...policy, 'apply-to': applyTo }
        await around(put, () => call('PUT', `/policies/${vhost}/${encodeURIComponent(name)}`, signal, body))
        return
      }
      case 'delete-policy':
        await around(removed, () => call('DELETE', `/policies/${vhost}/${encodeURIComponent(change.policy)}`, signal))
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

    putBack: (...args) => putBack(endpoint, fence, ...args),
    close: () => closeAll(close, declarations.close),
  }
}

const closeAll = async (...closing: readonly (() => Promise<void>)[]): Promise<void> => {
  await Promise.all(closing.map((close) => close()))
}
