import type { ConsumeMessage, Options } from 'amqplib'
import { unlessAborted } from '../../async/backoff.ts'
import type { Endpoint } from '../endpoint.ts'
import { keepConnected } from './connection.ts'
import { consumersOf } from './consumer.ts'
import { publisherOn } from './publisher.ts'

export { PublishError, type PublishFailure } from './publish-error.ts'

/** A broker over AMQP 0-9-1: one connection to consume, one to publish, both kept up until closed. */
export type Amqp = {
  /** Consumes until stopped, through reconnects, deleted and re-created queues and closed channels. */
  consume(options: ConsumeOptions): Consumer
  /**
   * Resolves once the broker confirmed the copy in a queue; always persistent and mandatory.
   *
   * @throws {PublishError}
   */
  publish(copy: Copy): Promise<void>
  /** Calls `listener` with the state, now and after each change; returns what stops it. */
  onState(listener: (state: AmqpState) => void): () => void
  /** Leaves the broker, within 5 s. What was not settled is redelivered; what was not confirmed is `lost`. */
  close(): Promise<void>
}

export type AmqpState = {
  readonly consuming: 'up' | 'down'
  /** `blocked`: the broker takes no messages for want of memory or disk; publishing waits. */
  readonly publishing: 'up' | 'down' | 'blocked'
  /** Why something is not `up`. */
  readonly reason?: string
}

export type ConsumeOptions = {
  readonly queue: string
  /** Most messages handed out and not settled at a time. */
  readonly prefetch: number
  /** Called for each message, synchronously: a slow one delays all others. */
  onDelivery(delivery: Delivery): void
  /** Called when it changes; not after `stop`. */
  onState(state: ConsumerState): void
}

export type ConsumerState =
  | { readonly is: 'consuming'; readonly reason?: undefined }
  | { readonly is: 'waiting'; readonly reason: string }

export type Consumer = {
  /** Takes nothing new, waits until every delivery handed out was settled or the signal aborts, and acknowledges. */
  stop(signal?: AbortSignal): Promise<void>
}

/** A message in our hands. Settle it once: `acknowledge` or `requeue`. */
export type Delivery = {
  readonly message: Message
  /** Its channel is gone: the broker redelivers the message, and settling this one does nothing. */
  readonly lost: boolean
  /** The message is dealt with. The broker hears of it within milliseconds, in a batch. */
  acknowledge(): void
  /** Back to the head of its queue, at once. The broker counts it as a failed delivery. */
  requeue(): void
}

export type Message = Pick<ConsumeMessage, 'content' | 'fields' | 'properties'>

export type Copy = {
  readonly exchange: string
  readonly routingKey: string
  readonly body: Buffer
  readonly properties: Options.Publish
}

/** As much of a logger as is used here. */
export type Log = Readonly<Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>>

export type AmqpOptions = {
  /** What the broker's management calls the connections. */
  readonly name: string
  readonly log: Log
  /** A silent broker is given up after two to three of these. Default 10. */
  readonly heartbeatSeconds?: number
  /** How long a confirm may take while the broker is not blocked. Default 30 s. */
  readonly confirmTimeoutMs?: number
}

const closeWithinMs = 4_000

/**
 * Starts connecting at once and goes on for ever. The signal drops everything at once: to end in order, stop the
 * consumers and call `close`.
 */
export const connectAmqp = (endpoint: Endpoint, options: AmqpOptions, signal: AbortSignal): Amqp => {
  const { name, log, heartbeatSeconds = 10, confirmTimeoutMs = 30_000 } = options
  const connectTo = (purpose: string) =>
    keepConnected(endpoint, { name: `${name} ${purpose}`, heartbeatSeconds, log }, signal)
  const consuming = connectTo('consume')
  const publishing = connectTo('publish')
  const consumers = consumersOf(consuming, log)
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
    // Channels first: the connection's goodbye would overtake acknowledgements that are waiting on them.
    await unlessAborted(consumers.close(), limit)
    await Promise.all([consuming.close(limit), publishing.close(limit)])
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
