import { pause, unlessAborted } from '../../async/abort.ts'
import { type Backoff, backoffMs } from '../../async/backoff.ts'
import { Holding } from './acknowledgements.ts'
import type { Wire } from './client/wire.ts'
import { type Connection, reasonOf } from './connection.ts'
import type { Place } from './consume-channels.ts'
import { handOut } from './hand-out.ts'
import { PauseSwitch } from './pause-switch.ts'
import type { AmqpLog, ConsumeOptions, Consumer, ConsumerState } from './port.ts'
import { refusalOf, subscriber } from './subscribe.ts'

export type ConsumerParts = {
  readonly connection: Connection
  readonly log: AmqpLog
  /** A place on a channel for a consumer of this queue, which exists; `alone` for one that may bring its channel down. */
  place(open: Wire, queue: string, alone: boolean): Promise<Place>
}

const backoff: Backoff = { first: 100, most: 5_000 }
const accessRefused = 403
const notFound = 404

/** Consumes one queue until it is stopped or the signal aborts. */
export const startConsumer = (options: ConsumeOptions, parts: ConsumerParts, closing: AbortSignal): Consumer => {
  const { queue, prefetch, onState } = options
  const { connection, log } = parts
  const place = (open: Wire, alone: boolean) => parts.place(open, queue, alone)
  const stopping = new AbortController()
  const stopped = AbortSignal.any([stopping.signal, closing])
  const switched = new PauseSwitch()
  const holding = new Holding(prefetch)
  const out = handOut({ ...options, holding, isPaused: () => switched.isPaused, log }, stopped)
  let state: ConsumerState | undefined
  let failures = 0

  const report = (now: ConsumerState): void => {
    if (stopped.aborted || (state?.is === now.is && state.reason === now.reason)) return
    state = now
    onState(now)
  }

  const subscription = subscriber({ queue, holding, switched, onDelivery: out.take, place, report }, stopped)

  /** Returns how long to wait before the next try. */
  const tryOnce = async (open: Wire): Promise<number> => {
    let reason: string | undefined
    let waitMs = 0
    try {
      reason = await subscription.once(open)
      failures = 0
      if (reason !== undefined) waitMs = backoffMs(1, backoff)
    } catch (error) {
      waitMs = refusalOf(error) === accessRefused ? backoff.most : backoffMs(++failures, backoff)
      reason = refusalOf(error) === notFound ? 'the queue does not exist' : reasonOf(error)
    }
    if (reason !== undefined && !switched.isPaused) report({ is: 'waiting', reason })
    return waitMs
  }

  const run = async (): Promise<void> => {
    while (!stopped.aborted) {
      if (switched.isPaused) {
        report({ is: 'paused' })
        await unlessAborted(switched.resumed(), stopped)
        continue
      }
      const interrupted = AbortSignal.any([stopped, switched.paused])
      if (connection.state.is === 'down') report({ is: 'waiting', reason: connection.state.reason })
      const open = await unlessAborted(connection.opened(), interrupted)
      if (interrupted.aborted) continue
      if (open === undefined) return
      await pause(await tryOnce(open), interrupted)
    }
  }
  const ended = run()

  return {
    pause: () => switched.pause(),
    resume: () => {
      switched.resume()
      out.more()
    },
    stop: async (signal) => {
      stopping.abort()
      out.requeueKept()
      await unlessAborted(ended, signal)
      await unlessAborted(holding.emptied(), signal)
      subscription.flush()
    },
  }
}
