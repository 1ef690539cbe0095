import { isIP } from 'node:net'
import { buildConnector, type Dispatcher, Pool } from 'undici'
import { durationText } from '../api/duration.ts'
import { createDeadlines, type Deadline, type Deadlines } from '../async/deadlines.ts'
import type { Outcome } from '../delivery/attempt/outcome.ts'
import type { Request } from '../delivery/attempt/request.ts'
import { retryAfterMs } from '../delivery/attempt/retry-after.ts'
import type { Target } from '../delivery/attempt/target.ts'
import { type AddressGuard, BlockedAddressError } from './address-guard.ts'
import { outcomeOf } from './failure.ts'

export type SenderOptions = {
  /** For a whole attempt, from connecting to the end of the answer. */
  readonly timeoutMs: number
  /** Connections at most; what is sent beyond them waits for one, and its time runs. */
  readonly concurrency: number
  readonly guard: AddressGuard
  readonly tls?: TlsOptions
}

/** PEM. `ca` replaces the authorities that the system trusts. */
export type TlsOptions = {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
}

/** Sends the requests of one subscription. Redirects are not followed; proxies in the environment are not used. */
export type Sender = {
  /** Makes one attempt. Never rejects: whatever happens is an outcome, and it is there by the deadline. */
  send(request: Request): Promise<Outcome>
  /** Takes nothing more and resolves when the attempts in flight have ended, each by its own deadline. */
  close(): Promise<void>
  /** Takes nothing more and ends the attempts in flight: those without a status yet are `abandoned`. */
  abandon(): Promise<void>
}

/** Of an answer only the status matters; a subscriber that sends more than this loses its connection. */
const maxAnswerBytes = 64 * 1024
const maxConnectMs = 10_000

export const createSender = (target: Target, options: SenderOptions): Sender => {
  const { timeoutMs, concurrency, guard } = options
  const deadlines = createDeadlines(timeoutMs)
  const tooLate: Outcome = {
    kind: 'failed',
    failure: 'timeout',
    message: `No answer within ${durationText(timeoutMs)}`,
  }
  let pool: Pool | undefined
  let inFlight = 0
  let closed: PromiseWithResolvers<void> | undefined

  const open = (): Pool => {
    const opened = new Pool(target.origin, {
      connections: concurrency,
      pipelining: 1,
      connect: guardedConnector(guard, timeoutMs, options.tls),
      // The deadline covers both; two more timers a request would only cost.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    opened.on('disconnect', leaveIfUnused)
    return opened
  }

  /** A pool is about 20 KB, and most subscriptions have nothing to send most of the time. */
  const leaveIfUnused = (): void => {
    if (pool === undefined || inFlight > 0 || pool.stats.connected > 0) return
    void pool.destroy()
    pool = undefined
  }

  const ended = (outcome: Outcome): void => {
    inFlight -= 1
    if (inFlight > 0) return
    closed?.resolve()
    if (outcome.kind === 'failed') leaveIfUnused()
  }

  const end = async (waitFor: Promise<unknown>): Promise<void> => {
    await waitFor
    await pool?.destroy()
    deadlines.clear()
  }

  return {
    send: (request) => {
      if (closed !== undefined) return Promise.resolve({ kind: 'abandoned' })
      return new Promise((resolve) => {
        inFlight += 1
        const attempt = new Attempt(deadlines, tooLate, (outcome) => {
          ended(outcome)
          resolve(outcome)
        })
        deadlines.add(attempt)
        pool ??= open()
        pool.dispatch(request, attempt)
      })
    },
    close: () => {
      closed ??= Promise.withResolvers()
      if (inFlight === 0) closed.resolve()
      return end(closed.promise)
    },
    abandon: () => {
      closed ??= Promise.withResolvers()
      closed.resolve()
      return end(closed.promise)
    },
  }
}

/** HTTP/1.1 over TCP or TLS, to addresses that the guard lets through. */
const guardedConnector = (guard: AddressGuard, timeoutMs: number, tls: TlsOptions = {}): buildConnector.connector => {
  const timeout = Math.min(timeoutMs, maxConnectMs)
  const connect = buildConnector({ ...tls, allowH2: false, timeout, lookup: guard.lookup })
  return (options, callback) => {
    if (isIP(options.hostname) === 0 || !guard.isBlocked(options.hostname)) return connect(options, callback)
    queueMicrotask(() => callback(new BlockedAddressError(`${options.hostname} is a blocked address`), null))
  }
}

const cutShort = new Error('The attempt is over')

/** One request and its answer, as the handler that undici calls and as a deadline: one object an attempt. */
class Attempt implements Deadline, Dispatcher.DispatchHandler {
  expiresAt = 0
  previous: Deadline | undefined = undefined
  next: Deadline | undefined = undefined
  readonly #deadlines: Deadlines
  readonly #tooLate: Outcome
  readonly #done: (outcome: Outcome) => void
  #controller: Dispatcher.DispatchController | undefined = undefined
  #isOver = false
  #status = 0
  #retryAfter: unknown = undefined
  #bytes = 0

  constructor(deadlines: Deadlines, tooLate: Outcome, done: (outcome: Outcome) => void) {
    this.#deadlines = deadlines
    this.#tooLate = tooLate
    this.#done = done
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Its time ran out while it waited for a connection. Throwing keeps the connection, aborting would drop it.
    if (this.#isOver) throw cutShort
    this.#controller = controller
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Record<string, unknown>): void {
    if (status < 200) return
    this.#status = status
    this.#retryAfter = headers['retry-after']
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes <= maxAnswerBytes) return
    this.#end(this.#answer())
    controller.abort(cutShort)
  }

  onResponseEnd(): void {
    this.#end(this.#answer())
  }

  onResponseError(_: unknown, error: Error): void {
    this.#end(this.#status === 0 ? outcomeOf(error) : this.#answer())
  }

  expire(): void {
    this.#end(this.#status === 0 ? this.#tooLate : this.#answer())
    this.#controller?.abort(cutShort)
  }

  /** The status decides, however the rest of the answer goes. */
  #answer(): Outcome {
    const status = this.#status
    if (status < 300) return { kind: 'delivered', status }
    const waitMs = this.#retryAfter === undefined ? undefined : retryAfterMs(this.#retryAfter, Date.now())
    return waitMs === undefined ? { kind: 'answered', status } : { kind: 'answered', status, retryAfterMs: waitMs }
  }

  #end(outcome: Outcome): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#deadlines.remove(this)
    this.#done(outcome)
  }
}
