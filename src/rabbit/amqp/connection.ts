import type { ChannelModel } from 'amqplib'
import { pause, unlessAborted } from '../../async/abort.ts'
import { type Backoff, backoffMs } from '../../async/backoff.ts'
import type { Endpoint } from '../endpoint.ts'
import { openConnection, RefusedError } from './open-connection.ts'
import type { AmqpLog } from './port.ts'

export type ConnectionState =
  | { readonly is: 'up' }
  /** Open, but the broker reads nothing from it: out of memory or disk. https://www.rabbitmq.com/docs/connection-blocked */
  | { readonly is: 'blocked'; readonly reason: string }
  | { readonly is: 'down'; readonly reason: string }

/** One connection, reopened whenever it is lost, until closed. */
export type Connection = {
  readonly state: ConnectionState
  /** The open connection; `undefined` while there is none. */
  readonly current: ChannelModel | undefined
  /** Waits for an open connection; resolves to `undefined` once it is closed for good. */
  opened(): Promise<ChannelModel | undefined>
  /** Calls `listener` after each change of the state. */
  onState(listener: () => void): void
  /** Drops the connection because the broker misbehaves on it; another one is opened. */
  drop(): void
  /** Closes the connection in order, or drops it when the signal aborts before the broker answered. */
  close(signal: AbortSignal): Promise<void>
}

export type ConnectionOptions = { readonly name: string; readonly heartbeatSeconds: number; readonly log: AmqpLog }

const backoff: Backoff = { first: 100, most: 10_000 }

/** Connects, and reconnects with growing pauses until closed. The signal drops the connection immediately and for good. */
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

  /** Serves one open connection until it is lost; resolves to why it was. */
  const serve = (opened: ChannelModel): Promise<string> => {
    // Listens before anybody is called: an error event without a listener would end the process.
    const lost = lossOf(opened, (now) => {
      if (now.is === 'blocked') log.warn({ connection: name, reason: now.reason }, 'The broker blocked the connection')
      if (now.is === 'up') log.info({ connection: name }, 'The broker unblocked the connection')
      if (now.is === 'down') {
        current = undefined
        next = Promise.withResolvers()
      }
      become(now)
    })
    current = opened
    log.info({ connection: name }, 'Connected to the broker')
    become({ is: 'up' })
    next.resolve(opened)
    return lost
  }

  /** One life of the connection, from opening to its end. Its socket does not outlive it. */
  const live = async (): Promise<string> => {
    socket = new AbortController()
    try {
      return await serve(
        await openConnection(endpoint, options, AbortSignal.any([signal, dropping.signal, socket.signal])),
      )
    } finally {
      // After a missed heartbeat amqplib only ends the socket, which would linger for minutes if the peer is silent.
      socket.abort()
    }
  }

  const run = async (): Promise<void> => {
    let logged: string | undefined
    for (let failures = 0; !over.aborted; ) {
      let waitMs: number
      try {
        const reason = await live()
        failures = 0
        logged = undefined
        waitMs = backoffMs(1, backoff)
        if (!over.aborted) log.warn({ connection: name, reason }, 'Lost the connection to the broker')
      } catch (error) {
        const reason = reasonOf(error)
        waitMs = error instanceof RefusedError ? backoff.most : backoffMs(++failures, backoff)
        if (reason !== logged && !over.aborted)
          log.warn({ connection: name, reason }, 'Could not connect to the broker')
        logged = reason
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
      // This never resolves when the connection breaks meanwhile, so `ended` is awaited instead.
      if (current) current.close().catch(() => undefined)
      else dropping.abort()
      await unlessAborted(ended, limit)
      dropping.abort()
      await ended
    },
  }
}

/** Calls `changed` when an open connection is blocked, unblocked and at last `down`; resolves to why it is down. */
const lossOf = (opened: ChannelModel, changed: (state: ConnectionState) => void): Promise<string> =>
  new Promise((resolve) => {
    let reason = 'the connection was closed'
    let isLost = false
    const end = (error: unknown): void => {
      if (isLost) return
      isLost = true
      if (error) reason = reasonOf(error)
      changed({ is: 'down', reason })
      resolve(reason)
    }
    opened.on('error', (error) => {
      reason = reasonOf(error)
    })
    opened.on('blocked', (why) => changed({ is: 'blocked', reason: why }))
    opened.on('unblocked', () => changed({ is: 'up' }))
    opened.on('close', end)
    // A broker that shuts down may have closed it at once, before the listeners were there.
    opened
      .createChannel()
      .then((channel) => channel.close().catch(() => undefined))
      .catch(end)
  })

/** The reason of an error in one line. A failure to reach any of several addresses has no message, only a code. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return error.message || code
}
