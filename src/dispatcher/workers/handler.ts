import { outcomeText } from '../../delivery/attempt/outcome.ts'
import { traceFields } from '../../delivery/message/trace-context.ts'
import { count, type DeliveryStats } from '../../delivery/stats.ts'
import type { Sender } from '../../http/send.ts'
import type { Amqp, Delivery } from '../../rabbit/amqp/port.ts'
import type { PublishError } from '../../rabbit/amqp/publish-error.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Tracing } from '../../telemetry/tracing.ts'
import { createDeliver } from '../pipeline/deliver.ts'
import { meter } from '../pipeline/meter.ts'
import type { Route } from '../pipeline/route.ts'
import type { Settled } from '../pipeline/settle.ts'
import { createFlow } from './flow.ts'
import type { Isolation } from './isolation.ts'
import type { TrackedState } from './worker-state.ts'

export type HandlerOptions = {
  readonly amqp: Amqp
  readonly route: Route
  /** Used by one worker alone, which ends it. */
  readonly sender: Sender
  readonly metrics: Metrics
  readonly log: Log
  readonly tracing?: Tracing | undefined
  /** Where it counts; an earlier worker of the subscription may have begun. */
  readonly stats: DeliveryStats
  readonly state: TrackedState
  readonly isolation: Isolation
  /** The state or the counts changed in a way that a report may show. */
  changed(): void
  /** The subscriber is gone for good: nothing more is to be taken. Resolves once the broker sends no more. */
  suspend(): Promise<void>
}

/** Handles the messages of one worker: delivers each, and observes what became of it. */
export const createHandler = (options: HandlerOptions, giveUp: AbortSignal): ((delivery: Delivery) => void) => {
  const { amqp, route, sender, metrics, log, stats, changed, state, isolation, suspend } = options
  const measured = meter(metrics, route.subscription)

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

  const pipeline = createDeliver({ route, amqp, sender, blocked, suspend, tracing: options.tracing }, giveUp)

  const observe = ({ message }: Delivery, settled: Settled | undefined): void => {
    if (settled === undefined) return
    measured.settled(settled)
    const { attempt, outcome, decision, endedAt } = settled
    if (decision.do === 'postpone' || decision.do === 'isolate') return
    count(stats, outcome, decision, attempt.history.firstAttempt ?? endedAt, endedAt)
    changed()
    if (outcome === undefined || outcome.kind === 'delivered') return
    const fields = {
      subscription: route.id,
      attempt: attempt.number,
      outcome: outcomeText(outcome),
      decision: decision.do,
    }
    log.debug({ ...fields, ...traceFields(settled.trace, message.properties.headers) }, 'An attempt failed')
  }

  const end = (delivery: Delivery, settled: Promise<Settled | undefined>): Promise<void> =>
    settled
      .then((one) => observe(delivery, one))
      .catch((error: unknown) => {
        const traced = traceFields(undefined, delivery.message.properties.headers)
        // A fault of ours. It cannot loop: a message that comes back too often is tried alone, and then dead-lettered.
        log.error({ subscription: route.id, ...traced, error }, 'Could not process a message; it is requeued')
        delivery.requeue()
      })

  return createFlow({
    isolation,
    isSuspect: pipeline.isSuspect,
    process: (delivery, tried) => end(delivery, pipeline.deliver(delivery, tried)),
    putAside: (delivery) => end(delivery, pipeline.putAside(delivery)),
  })
}
