import type { ChannelModel } from 'amqplib'
import { type Backoff, backoffMs, pause, unlessAborted } from '../../async/backoff.ts'
import type { Endpoint } from '../endpoint.ts'
import { openConnection, RefusedError } from './open-connection.ts'
import type { Log } from './port.ts'

export type ConnectionState =
  | { readonly is: 'up' }
  /** Open, but the broker reads nothing from it: out of memory or disk. https://www.rabbitmq.com/docs/connection-blocked */
  | { readonly is: 'blocked'; readonly reason: string }
  | { readonly is: 'down'; readonly reason: string }

/** One connection, opened again whenever it is lost, until closed. */
export type Connection = {
  readonly state: ConnectionState
  /** The connection as it is open now; `undefined` while there is none. */
  readonly current: ChannelModel | undefined
  /** Waits for an open connection; `undefined` once it is closed for good. */
  opened(): Promise<ChannelModel | undefined>
  /** Calls `listener` after each change of the state. */
  onState(listener: () => void): void
  /** Drops the connection, for the broker does not do what it must; another one is opened. */
  drop(): void
  /** Takes leave of the broker, or drops the connection when the signal aborts before the broker answered. */
  close(signal: AbortSignal): Promise<void>
}

export type ConnectionOptions = { readonly name: string; readonly heartbeatSeconds: number; readonly log: Log }

const backoff: Backoff = { first: 100, most: 10_000 }

/** Connects, and connects again for ever with growing pauses. The signal drops the connection at once and for good. */
export const keepConnected = (endpoint: Endpoint, options: ConnectionOptions, signal: AbortSignal): Connection => {
  const { log, name } = options
  const closing = new AbortController()
  const dropping = new AbortController()
  const over = AbortSignal.any([signal, closing.signal])
  const listeners = new Set<() => void>()
  let state: ConnectionState = { is: 'down', reason: 'not connected yet' }
  let current: ChannelModel | undefined
  let socket = new AbortController()
  let next = Promise.withResolvers<ChannelModel | undefined>()

  const become = (now: ConnectionState): void => {
    state = now
    for (const listener of listeners) listener()
  }

  /** Serves one open connection until it is lost; says why it was. */
  const serve = (opened: ChannelModel): Promise<string> =>
    new Promise((resolve) => {
      let reason = 'the connection was closed'
      opened.on('error', (error) => {
        reason = reasonOf(error)
      })
      opened.on('blocked', (why) => {
        log.warn({ connection: name, reason: why }, 'The broker blocked the connection')
        become({ is: 'blocked', reason: why })
      })
      opened.on('unblocked', () => {
        log.info({ connection: name }, 'The broker unblocked the connection')
        become({ is: 'up' })
      })
      const end = (error: unknown) => {
        if (current !== opened) return
        if (error) reason = reasonOf(error)
        current = undefined
        next = Promise.withResolvers()
        become({ is: 'down', reason })
        resolve(reason)
      }
      opened.on('close', end)
      current = opened
      log.info({ connection: name }, 'Connected to the broker')
      become({ is: 'up' })
      next.resolve(opened)
      // A broker that shuts down may have closed it in the same breath, before anybody listened.
      opened
        .createChannel()
        .then((channel) => channel.close().catch(() => undefined))
        .catch(end)
    })

  /** One life of the connection, from opening to its end. Its socket does not outlive it. */
  const live = async (): Promise<string> => {
    socket = new AbortController()
    try {
      return await serve(
        await openConnection(endpoint, options, AbortSignal.any([signal, dropping.signal, socket.signal])),
      )
    } finally {
      // After a missed heartbeat amqplib only ends the socket, and one whose peer is silent would linger for minutes.
      socket.abort()
    }
  }

  const run = async (): Promise<void> => {
    let told: string | undefined
    for (let failures = 0; !over.aborted; ) {
      let waitMs: number
      try {
        const reason = await live()
        failures = 0
        told = undefined
        waitMs = backoffMs(1, backoff)
        if (!over.aborted) log.warn({ connection: name, reason }, 'Lost the connection to the broker')
      } catch (error) {
        const reason = reasonOf(error)
        waitMs = error instanceof RefusedError ? backoff.most : backoffMs(++failures, backoff)
        if (reason !== told && !over.aborted) log.warn({ connection: name, reason }, 'Could not connect to the broker')
        told = reason
        become({ is: 'down', reason })
      }
      await pause(waitMs, over)
    }
    next.resolve(undefined)
  }
  const ended = run()

  return {
    get state() {
      return state
    },
    get current() {
      return current
    },
    opened: () => next.promise,
    onState: (listener) => {
      listeners.add(listener)
    },
    drop: () => socket.abort(),
    close: async (limit) => {
      closing.abort()
      // It never answers when the connection breaks meanwhile; its end is what counts.
      if (current) current.close().catch(() => undefined)
      else dropping.abort()
      await unlessAborted(ended, limit)
      dropping.abort()
      await ended
    },
  }
}

/** Why, in one line. A failure to reach any of several addresses has no message of its own, only a code. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return error.message || code
}
