import { createDeadlines } from '../async/deadlines.ts'
import type { Outcome } from '../delivery/attempt/outcome.ts'
import type { Request } from '../delivery/attempt/request.ts'
import type { Target } from '../delivery/attempt/target.ts'
import type { AddressGuard } from './address-guard.ts'
import { Call } from './call.ts'
import { connectionsTo } from './connections.ts'
import type { Credentials } from './credentials.ts'
import { intercepted } from './interceptor.ts'
import { deadline } from './interceptors/deadline.ts'
import { guard } from './interceptors/guard.ts'

export type SenderOptions = {
  /** For a whole attempt, from connecting to the end of the answer. */
  readonly timeoutMs: number
  /** Connections at most; a request beyond them waits for one, and its time runs. */
  readonly concurrency: number
  readonly guard: AddressGuard
  readonly credentials?: Credentials
}

/** Sends the requests of one subscription. Redirects are not followed; proxies in the environment are not used. */
export type Sender = {
  /** Makes one attempt. Never rejects: any failure is an outcome, and there is one by the deadline. */
  send(request: Request): Promise<Outcome>
  /** Takes nothing more and resolves when the attempts in flight have ended, each by its own deadline. */
  close(): Promise<void>
  /** Takes nothing more and ends the attempts in flight: those without a status yet are `abandoned`. */
  abandon(): Promise<void>
}

const maxConnectMs = 10_000

/**
 * A sender with its chain of interceptors, made once for a worker. The order, from the outside:
 *
 * | interceptor | |
 * | --- | --- |
 * | `guard` | refuses blocked addresses |
 * | `deadline` | limits the time of everything inside |
 * | | Here belong `authorize` (a token of its cache, fetched within the deadline) and `sign` (after every other header). Their keys are part of {@link Credentials}. |
 */
export const createSender = (target: Target, options: SenderOptions): Sender => {
  const { timeoutMs, concurrency, credentials } = options
  const deadlines = createDeadlines(timeoutMs)
  const connections = connectionsTo(target.origin, {
    most: concurrency,
    connectWithinMs: Math.min(timeoutMs, maxConnectMs),
    guard: options.guard,
    tls: credentials?.tls,
  })
  const send = intercepted([guard(options.guard, target.origin), deadline(deadlines, timeoutMs)], connections.send)
  let isClosed = false

  const end = async (): Promise<void> => {
    await connections.destroy()
    deadlines.clear()
  }

  return {
    send: (request) =>
      isClosed ? Promise.resolve({ kind: 'abandoned' }) : send(request, new Call(target.readsProblems)),
    close: async () => {
      isClosed = true
      await connections.idle()
      await end()
    },
    abandon: () => {
      isClosed = true
      return end()
    },
  }
}
