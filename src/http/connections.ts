import { buildConnector, Pool } from 'undici'
import { momentsOf } from '../async/effects.ts'
import type { Outcome } from '../delivery/attempt/outcome.ts'
import type { AddressGuard } from './address-guard.ts'
import type { TlsOptions } from './credentials.ts'
import type { Send } from './interceptor.ts'

export type ConnectionsOptions = {
  /** Connections at most; a request beyond them waits for one. */
  readonly most: number
  readonly connectWithinMs: number
  readonly guard: AddressGuard
  readonly tls?: TlsOptions | undefined
}

/** The connections to one origin, opened when they are needed. */
export type Connections = {
  /** The innermost of the chain: puts the request on a connection. */
  readonly send: Send
  /** Resolves when the calls in flight have ended. */
  idle(): Promise<void>
  /** Ends the calls in flight: those without a status yet are `abandoned`. */
  destroy(): Promise<void>
}

const sent = momentsOf('request-sent')

/** HTTP/1.1 over TCP or TLS, to addresses that the guard lets through. */
export const connectionsTo = (origin: string, options: ConnectionsOptions): Connections => {
  const { most, connectWithinMs, guard, tls } = options
  let pool: Pool | undefined
  let inFlight = 0
  let isClosed = false
  let whenIdle: PromiseWithResolvers<void> | undefined

  const open = (): Pool => {
    const opened = new Pool(origin, {
      connections: most,
      pipelining: 1,
      connect: buildConnector({ ...tls, allowH2: false, timeout: connectWithinMs, lookup: guard.lookup }),
      // The deadline covers both; two more timers a request would only cost.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    opened.on('disconnect', closeIfUnused)
    return opened
  }

  /** A pool is about 20 KB, and most subscriptions have nothing to send most of the time. */
  const closeIfUnused = (): void => {
    if (pool === undefined || inFlight > 0 || pool.stats.connected > 0) return
    void pool.destroy()
    pool = undefined
  }

  const ended = (outcome: Outcome): void => {
    inFlight -= 1
    if (inFlight > 0) return
    whenIdle?.resolve()
    if (outcome.kind === 'failed') closeIfUnused()
  }

  return {
    send: (request, call) => {
      // Its time may have run out, or the worker may have ended, in an interceptor that waited.
      if (isClosed) call.end({ kind: 'abandoned' })
      if (call.isOver) return call.outcome
      inFlight += 1
      call.onEnd(ended)
      pool ??= open()
      sent.before.publish(undefined)
      pool.dispatch(request, call)
      sent.after.publish(undefined)
      return call.outcome
    },
    idle: () => {
      whenIdle ??= Promise.withResolvers()
      if (inFlight === 0) whenIdle.resolve()
      return whenIdle.promise
    },
    destroy: async () => {
      isClosed = true
      await pool?.destroy()
    },
  }
}
