import { type ChannelModel, connect } from 'amqplib'
import type { Endpoint } from '../endpoint.ts'

/** The broker refused the connection. Retrying soon does not help: a person has to change something first. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

const connectTimeoutMs = 10_000

/**
 * Opens one connection. Aborting the signal destroys its socket, at any time.
 *
 * @throws {RefusedError} when the broker refuses the user, the virtual host or one more connection
 */
export const openConnection = async (
  endpoint: Endpoint,
  options: { readonly name: string; readonly heartbeatSeconds: number },
  signal: AbortSignal,
): Promise<ChannelModel> => {
  const socket = {
    signal,
    timeout: connectTimeoutMs,
    noDelay: true,
    clientProperties: { connection_name: options.name },
    ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }),
    ...(endpoint.lookup === undefined ? {} : { lookup: endpoint.lookup }),
  }
  const broker = {
    ...endpoint.amqp,
    username: endpoint.username,
    password: endpoint.password,
    // amqplib unescapes it, as if it came from a URL.
    vhost: encodeURIComponent(endpoint.vhost),
    heartbeat: options.heartbeatSeconds,
  }
  try {
    return await connect(broker, socket)
  } catch (cause) {
    throw refusal(cause, endpoint.vhost) ?? cause
  }
}

// amqplib reports a refusal during the handshake by its message only, with no code. Should the message change, a refusal is
// merely retried as often as any other failure.
const refusal = (cause: unknown, vhost: string): RefusedError | undefined => {
  const words = cause instanceof Error ? cause.message : ''
  if (words.startsWith('Handshake terminated by server')) {
    return new RefusedError('the broker refused the user or its password: correct the Secret of the Broker', { cause })
  }
  if (words.startsWith('Expected ConnectionOpenOk; got <ConnectionClose')) {
    const where = JSON.stringify(vhost)
    return new RefusedError(
      `the broker refused the virtual host ${where}: create it, give the user permissions on it, or raise its limits`,
      { cause },
    )
  }
  return undefined
}
