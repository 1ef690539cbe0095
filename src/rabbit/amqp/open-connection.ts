import type { Endpoint } from '../endpoint.ts'
import { dial } from './client/dial.ts'
import { EndedError, OpenError, type OpenFailure } from './client/ended.ts'
import type { Wire } from './client/wire.ts'

/** The broker refused the connection. Retrying soon does not help: a person has to change something first. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

/** Whether that is what a broker does, or that there is none: whoever wants something of it can only try again. */
export const isOfBroker = (error: unknown): error is Error =>
  error instanceof RefusedError || error instanceof OpenError || error instanceof EndedError

const connectTimeoutMs = 10_000

/**
 * Opens one connection. Aborting the signal destroys its socket, at any time. A connection that ended behind its opening is
 * returned all the same: its `end` says so.
 *
 * @throws {RefusedError} when the broker refuses the user, the virtual host or one more connection
 * @throws {OpenError} when it cannot be opened for another reason
 */
export const openConnection = async (
  endpoint: Endpoint,
  options: { readonly name: string; readonly heartbeatSeconds: number },
  signal: AbortSignal,
): Promise<Wire> => {
  const { amqp, username, password, vhost, ca, lookup } = endpoint
  const address = {
    ...{ ...amqp, ...options, username, password, vhost, timeoutMs: connectTimeoutMs },
    ...(ca === undefined ? {} : { ca }),
    ...(lookup === undefined ? {} : { lookup }),
  }
  try {
    return await dial(address, signal)
  } catch (cause) {
    const advice = cause instanceof OpenError ? refusals(vhost)[cause.kind] : undefined
    throw advice === undefined ? cause : new RefusedError(advice, { cause })
  }
}

const refusals = (vhost: string): Partial<Record<OpenFailure, string>> => {
  const refused = `the broker refused the virtual host ${JSON.stringify(vhost)}`
  const advice = `${refused}: create it, give the user permissions on it, or raise its limits`
  return {
    user: 'the broker refused the user or its password: correct the Secret of the Broker',
    vhost: advice,
    limit: advice,
  }
}
