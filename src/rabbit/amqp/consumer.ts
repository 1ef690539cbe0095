import { aborted, pause, unlessAborted } from '../../async/abort.ts'
import { type Backoff, backoffMs } from '../../async/backoff.ts'
import type { Wire } from './client/wire.ts'
import { reasonOf } from './connection.ts'
import type { Place } from './consume-channels.ts'
import { Holding } from './deliveries/acknowledgements.ts'
import { handOut } from './deliveries/hand-out.ts'
import type { Seat } from './links.ts'
import { PauseSwitch } from './pause-switch.ts'
import type { AmqpLog, ConsumeOptions, Consumer, ConsumerActivity, ConsumerState } from './port.ts'
import { refusalOf, subscriber } from './subscribe.ts'

export type ConsumerParts = {
  /** Where the queue is to be consumed, as of now. */
  seatOf(queue: string): Seat
  readonly log: AmqpLog
  /** A place on a channel for a consumer of this queue, which exists; `alone` for one that may bring its channel down. */
  place(open: Wire, queue: string, alone: boolean): Promise<Place>
}

const backoff: Backoff = { first: 100, most: 5_000 }
const accessRefused = 403
const lateMs = 10_000
const late =
  'the broker took messages back that were unacknowledged for longer than its consumer timeout: make that (consumer_timeout, or ' +
  'consumer-timeout in a policy for the queue) longer than spec.delivery.timeout'
const notFound = 404

/** Consumes one queue until it is stopped or the signal aborts. */
export const startConsumer = (options: ConsumeOptions, parts: ConsumerParts, closing: AbortSignal): Consumer => {
  const { queue, prefetch, onState } = options
  const { log } = parts
  const place = (open: Wire, alone: boolean) => parts.place(open, queue, alone)
  const stopping = new AbortController()
  const stopped = AbortSignal.any([stopping.signal, closing])
  const switched = new PauseSwitch()
  const holding = new Holding(prefetch)
  const out = handOut({ ...options, holding, isPaused: () => switched.isPaused, log }, stopped)
  let state: ConsumerState | undefined
  let failures = 0

  const report = (now: ConsumerActivity): void => {
    const { unreadable } = parts.seatOf(queue)
    const isSame = state?.is === now.is && state.reason === now.reason && state.unreadable === unreadable
    if (stopped.aborted || isSame) return
    state = { ...now, unreadable }
    onState(state)
  }

  const subscription = subscriber({ queue, holding, switched, onDelivery: out.take, place, report }, stopped)

  /** Returns how long to wait before the next try. */
  const tryOnce = async (open: Wire, seat: Seat): Promise<number> => {
    let reason: string | undefined
    let waitMs = 0
    try {
      const ending = await subscription.once(open, seat)
      failures = 0
      reason = ending?.isLate ? late : ending?.reason
      // Long enough to be seen in a status.
      if (ending) waitMs = ending.isLate ? lateMs : backoffMs(1, backoff)
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
      const seat = parts.seatOf(queue)
      const { connection, unreadable, moved } = seat
      const interrupted = AbortSignal.any([stopped, switched.paused, moved])
      if (connection === undefined) {
        report({ is: 'waiting', reason: unreadable?.cause ?? '' })
        await aborted(interrupted)
        continue
      }
      if (connection.state.is === 'down') report({ is: 'waiting', reason: connection.state.reason })
      const open = await unlessAborted(connection.opened(), interrupted)
      if (interrupted.aborted) continue
      if (open === undefined) return
      await pause(await tryOnce(open, seat), interrupted)
    }
  }
  const ended = run()

  const cancel = async (): Promise<void> => {
    stopping.abort()
    await ended
    // Requeued before, they would come again at once.
    out.requeueKept()
  }

  return {
    pause: () => switched.pause(),
    resume: () => {
      switched.resume()
      out.more()
    },
    cancel,
    stop: async (signal) => {
      await unlessAborted(cancel(), signal)
      await unlessAborted(holding.emptied(), signal)
      subscription.flush()
    },
  }
}
