import type { AddressGuard } from '../../http/address-guard.ts'
import type { Route } from '../pipeline/route.ts'
import type { WorkerState } from '../replicas/snapshot.ts'
import { consumeBoth } from './consume-both.ts'
import { followWorker } from './follow-worker.ts'
import { createHandler, type HandlerOptions } from './handler.ts'
import { watchServiceName } from './service-name.ts'
import { trackState } from './worker-state.ts'

export type WorkerOptions = Omit<HandlerOptions, 'state' | 'suspend'> & {
  /** How long messages in flight may take after `stop`. */
  readonly drainTimeoutMs: number
  /** Resolves the name of the subscriber. */
  readonly guard: AddressGuard
}

/** One subscription being delivered: its consumer, its sender and its counts. */
export type Worker = {
  readonly route: Route
  state(): WorkerState
  /** Takes nothing new and ends what is in flight. */
  stop(): Promise<void>
}

/** Node fires a timer at once whose delay is longer. */
const longestTimerMs = 2 ** 31 - 1

/**
 * Starts to deliver a subscription. It takes messages until it is stopped or its subscriber is gone; what else may hold them
 * back for a while (a circuit breaker, a rate limit, an order) is to be asked in one place, `flow.ts` beside this file. It gets
 * each `Settled` from the handler, and pauses and resumes the consumer.
 */
export const startWorker = (options: WorkerOptions): Worker => {
  const { amqp, route, sender, drainTimeoutMs, changed } = options
  const state = trackState(route.subscription.metadata.generation)
  const stopping = new AbortController()
  let stopped: Promise<void> | undefined

  const end = async (): Promise<void> => {
    unsubscribe()
    const limit = AbortSignal.timeout(Math.min(drainTimeoutMs, longestTimerMs))
    limit.addEventListener('abort', () => void sender.abandon())
    const drained = consumer.stop(limit)
    // A message that waits for the confirm of its copy goes back to its queue.
    stopping.abort()
    await drained
    unfollow()
    await sender.abandon()
  }

  const stop = (): Promise<void> => {
    stopped ??= end()
    return stopped
  }

  const suspend = (): Promise<void> => {
    state.gone()
    void stop()
    return consumer.cancel()
  }

  const unsubscribe = amqp.onState((now) => {
    state.broker(now)
    changed()
  })
  const consumer = consumeBoth(amqp, {
    queues: [...new Set([route.queue, route.retryQueue])],
    concurrency: route.terms.concurrency,
    onDelivery: createHandler({ ...options, state, suspend }, stopping.signal),
    onState(now) {
      state.consumer(now)
      changed()
    },
  })

  const unfollow = followWorker(options.metrics, { route, stats: options.stats, state, held: consumer.held })

  const tellMissing = (missing: string | undefined): void => {
    state.missing(missing)
    changed()
  }
  watchServiceName(route, options.guard, tellMissing, stopping.signal)

  return { route, state: state.current, stop }
}
