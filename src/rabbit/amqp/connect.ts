import { unlessAborted } from '../../async/abort.ts'
import type { Endpoint } from '../endpoint.ts'
import { type Connection, keepConnected } from './connection.ts'
import { consumeChannels } from './consume-channels.ts'
import { consumersOf } from './consumers.ts'
import { BytesInHand, defaultBytesInHand } from './deliveries/bytes-in-hand.ts'
import { deliveryMemory } from './deliveries/delivery-memory.ts'
import { openLinks } from './links.ts'
import type { Amqp, AmqpLog, AmqpState } from './port.ts'
import { publisherOn } from './publisher.ts'

export type AmqpOptions = {
  /** The name of the connections in RabbitMQ's management, followed by their purpose. */
  readonly name: string
  readonly log: AmqpLog
  /** A connection to a silent broker is dropped after two to three of these. Default 10. */
  readonly heartbeatSeconds?: number
  /** How long a confirm may take while the broker is not blocked. Default 30 s. */
  readonly confirmTimeoutMs?: number
  /** Counts what is in hand, shared by all connections of a process. By default a count of its own. */
  readonly inHand?: BytesInHand
}

const closeWithinMs = 4_000

/**
 * Starts connecting at once and reconnects until closed. The signal drops both connections immediately: to end in order,
 * stop the consumers and call `close`.
 */
export const connectAmqp = (endpoint: Endpoint, options: AmqpOptions, signal: AbortSignal): Amqp => {
  const { name, log, heartbeatSeconds = 10, confirmTimeoutMs = 30_000 } = options
  const inHand = options.inHand ?? new BytesInHand(defaultBytesInHand())
  const connectTo = (purpose: string) =>
    keepConnected(endpoint, { name: `${name} ${purpose}`, heartbeatSeconds, log }, signal)
  const publishing = connectTo('publish')
  const channels = consumeChannels(deliveryMemory(), inHand)
  const drained = ({ current }: Connection) => (current ? channels.left(current) : Promise.resolve())
  const links = openLinks({ connect: connectTo, control: publishing, log, drained })
  const consuming = links.shared
  const consumers = consumersOf(links, channels, log)
  const listeners = new Set<(state: AmqpState) => void>()
  let closed: Promise<void> | undefined

  const state = (): AmqpState => {
    const reason = [consuming.state, publishing.state].find((one) => one.is !== 'up')?.reason
    return {
      // A blocked connection still delivers and takes acknowledgements.
      consuming: consuming.state.is === 'down' ? 'down' : 'up',
      publishing: publishing.state.is,
      ...(reason === undefined ? {} : { reason }),
    }
  }
  for (const connection of [consuming, publishing]) {
    connection.onState(() => {
      const now = state()
      for (const listener of listeners) listener(now)
    })
  }

  const close = async (): Promise<void> => {
    const limit = AbortSignal.timeout(closeWithinMs)
    // Channels first: closing the connection would overtake the acknowledgements that wait on them.
    await unlessAborted(consumers.close(), limit)
    await Promise.all([links.close(limit), publishing.close(limit)])
  }

  return {
    consume: consumers.start,
    publish: publisherOn(publishing, { confirmTimeoutMs }),
    onState: (listener) => {
      listeners.add(listener)
      listener(state())
      return () => listeners.delete(listener)
    },
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

/** Resolves to whether copies can be published, once they can or the signal aborts. */
export const untilPublishing = async (amqp: Pick<Amqp, 'onState'>, signal: AbortSignal): Promise<boolean> => {
  const up = Promise.withResolvers<true>()
  const unsubscribe = amqp.onState(({ publishing }) => {
    if (publishing === 'up') up.resolve(true)
  })
  return (await unlessAborted(up.promise, signal).finally(unsubscribe)) ?? false
}
