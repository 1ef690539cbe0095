import { count, type DeliveryStats } from '../../delivery/stats.ts'
import type { Sender } from '../../http/send.ts'
import type { Amqp, Delivery } from '../../rabbit/amqp/port.ts'
import type { PublishError } from '../../rabbit/amqp/publish-error.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { createDeliver } from '../pipeline/deliver.ts'
import { meter } from '../pipeline/meter.ts'
import type { Route } from '../pipeline/route.ts'
import type { Settled } from '../pipeline/settle.ts'
import type { WorkerState } from '../replicas/snapshot.ts'
import { trackState } from './worker-state.ts'

export type WorkerOptions = {
  readonly amqp: Amqp
  readonly route: Route
  /** Used by this worker alone, which ends it. */
  readonly sender: Sender
  readonly metrics: Metrics
  readonly log: Log
  /** How long messages in flight may take after `stop`. */
  readonly drainTimeoutMs: number
  /** Where it counts; an earlier worker of the subscription may have begun. */
  readonly stats: DeliveryStats
  /** The delays of the broker's ladder as of now, ascending, in ms. */
  levels(): readonly number[]
  /** The state or the counts changed in a way that a report may show. */
  changed(): void
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
 * back for a while (a circuit breaker, a rate limit, an order) is to be asked in one place beside this one, `flow.ts`, which
 * gets each {@link Settled} and pauses and resumes the consumer.
 */
export const startWorker = (options: WorkerOptions): Worker => {
  const { amqp, route, sender, metrics, log, drainTimeoutMs, stats, levels, changed } = options
  const { generation } = route.subscription.metadata
  const measured = meter(metrics, route.subscription)
  const state = trackState(generation)
  const stopping = new AbortController()
  let stopped: Promise<void> | undefined

  const blocked = (error: PublishError | undefined): void => {
    if (error) {
      measured.unconfirmed()
      if (!state.isBlocked())
        log.warn(
          { subscription: route.id, error: error.message },
          'Kept messages in their queue: their copies for retry or dead letter are not confirmed',
        )
    }
    state.blocked(error?.message)
    changed()
  }

  const deliver = createDeliver({ route, amqp, sender, levels, blocked }, stopping.signal)

  const observe = (settled: Settled | undefined): void => {
    if (settled === undefined || settled.decision.do === 'postpone') return
    const { attempt, outcome, decision, endedAt } = settled
    if (decision.do === 'suspend') {
      state.gone()
      void stop()
    }
    measured.settled(settled)
    count(stats, outcome, decision, attempt.history.firstAttempt ?? endedAt, endedAt)
    changed()
  }

  const onDelivery = (delivery: Delivery): void => {
    deliver(delivery)
      .then(observe)
      .catch((error: unknown) => {
        // A fault of ours. It cannot loop: a message is dead-lettered after too many redeliveries.
        log.error({ subscription: route.id, error }, 'Could not process a message; it is requeued')
        delivery.requeue()
      })
  }

  const unsubscribe = amqp.onState((now) => {
    state.broker(now)
    changed()
  })
  const consumer = amqp.consume({
    queue: route.queue,
    prefetch: route.terms.concurrency,
    onDelivery,
    onState(now) {
      state.consumer(now)
      changed()
    },
  })

  const end = async (): Promise<void> => {
    unsubscribe()
    const limit = AbortSignal.timeout(Math.min(drainTimeoutMs, longestTimerMs))
    limit.addEventListener('abort', () => void sender.abandon())
    const drained = consumer.stop(limit)
    // A message that waits for the confirm of its copy goes back to its queue.
    stopping.abort()
    await drained
    await sender.abandon()
  }

  const stop = (): Promise<void> => {
    stopped ??= end()
    return stopped
  }

  return { route, state: state.current, stop }
}
