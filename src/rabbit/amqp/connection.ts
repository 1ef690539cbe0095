import { pause, unlessAborted } from '../../async/abort.ts'
import { type Backoff, backoffMs } from '../../async/backoff.ts'
import type { Endpoint } from '../endpoint.ts'
import type { End } from './client/ended.ts'
import type { Wire } from './client/wire.ts'
import { connectionLog, settledMs } from './connection-log.ts'
import { openConnection, RefusedError } from './open-connection.ts'
import type { AmqpLog } from './port.ts'

export type ConnectionState =
  | { readonly is: 'up' }
  /** Open, but the broker reads nothing from it: out of memory or disk. https://www.rabbitmq.com/docs/connection-blocked */
  | { readonly is: 'blocked'; readonly reason: string }
  | { readonly is: 'down'; readonly reason: string }

/** How one life of a connection ended. */
export type Loss = { readonly end: End; readonly livedMs: number }

/** One connection, reopened whenever it is lost, until closed. */
export type Connection = {
  readonly state: ConnectionState
  /** The open connection; `undefined` while there is none. */
  readonly current: Wire | undefined
  /** Waits for an open connection; resolves to `undefined` once it is closed for good. */
  opened(): Promise<Wire | undefined>
  /** Calls `listener` after each change of the state. */
  onState(listener: () => void): void
  /** Calls `listener` after each life that did not end at our wish. */
  onLoss(listener: (loss: Loss) => void): void
  /** Closes the connection in order, or drops it when the signal aborts before the broker answered. */
  close(signal: AbortSignal): Promise<void>
}

export type ConnectionOptions = { readonly name: string; readonly heartbeatSeconds: number; readonly log: AmqpLog }

const backoff: Backoff = { first: 100, most: 10_000 }

/**
 * Connects, and reconnects until closed, with pauses that grow until a connection lasts. The signal drops the connection
 * immediately and for good.
 */
export const keepConnected = (endpoint: Endpoint, options: ConnectionOptions, signal: AbortSignal): Connection => {
  const said = connectionLog(options.log, options.name)
  const closing = new AbortController()
  const dropping = new AbortController()
  const over = AbortSignal.any([signal, closing.signal])
  const dropped = AbortSignal.any([signal, dropping.signal])
  const listeners = new Set<() => void>()
  const lossListeners = new Set<(loss: Loss) => void>()
  let state: ConnectionState = { is: 'down', reason: 'not connected yet' }
  let current: Wire | undefined
  let next = Promise.withResolvers<Wire | undefined>()
  let failures = 0

  const become = (now: ConnectionState): void => {
    state = now
    for (const listener of listeners) listener()
  }

  /** One life of the connection, from opening to its end. */
  const live = async (): Promise<Loss> => {
    const wire = await openConnection(endpoint, options, dropped)
    const sinceMs = performance.now()
    if (wire.end === undefined) {
      current = wire
      said.connected()
      become({ is: 'up' })
      next.resolve(wire)
      wire.onBlocked((reason) => {
        said.blocked(reason)
        become(reason === undefined ? { is: 'up' } : { is: 'blocked', reason })
      })
    }
    const end = await wire.ended
    if (current) next = Promise.withResolvers()
    current = undefined
    return { end, livedMs: performance.now() - sinceMs }
  }

  /** Returns how long to wait before the next life. */
  const once = async (): Promise<number> => {
    try {
      const loss = await live()
      failures = loss.livedMs < settledMs ? failures + 1 : 1
      if (!over.aborted) said.lost(loss.end.text)
      become({ is: 'down', reason: loss.end.text })
      if (!over.aborted) for (const listener of lossListeners) listener(loss)
    } catch (error) {
      failures += 1
      const reason = reasonOf(error)
      if (!over.aborted) said.failed(reason)
      become({ is: 'down', reason })
      if (error instanceof RefusedError) return backoff.most
    }
    return backoffMs(failures, backoff)
  }

  const run = async (): Promise<void> => {
    while (!over.aborted) await pause(await once(), over)
    next.resolve(undefined)
  }
  const ended = run()

  return {
    get state() {
      return state
    },
    get current() {
      return current?.end ? undefined : current
    },
    opened: () => next.promise,
    onState: (listener) => {
      listeners.add(listener)
    },
    onLoss: (listener) => {
      lossListeners.add(listener)
    },
    close: async (limit) => {
      closing.abort()
      if (current) void current.close()
      else dropping.abort()
      await unlessAborted(ended, limit)
      dropping.abort()
      await ended
    },
  }
}

/** The reason of an error in one line. A failure to reach any of several addresses has no message, only a code. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return error.message || code
}
