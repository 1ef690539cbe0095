import type { Subscription } from '../../api/kinds/subscription.ts'
import { stampedAt } from '../../delivery/event/published.ts'
import type { DeliveryStats } from '../../delivery/stats.ts'
import type { Delivery } from '../../rabbit/amqp/port.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Route } from '../pipeline/route.ts'
import type { TrackedState } from './worker-state.ts'

export type FollowedWorker = {
  readonly route: Route
  readonly stats: DeliveryStats
  readonly state: TrackedState
  /** What is handed out. */
  readonly held: ReadonlySet<Delivery>
}

/** Has the metrics of a subscription ask its worker, until the returned function is called. */
export const followWorker = (metrics: Metrics, worker: FollowedWorker): (() => void) => {
  const { route, stats, state, held } = worker
  const labels = labelsOf(route.subscription)
  const ends = [
    metrics.inFlight.follow(labels, () => held.size),
    metrics.concurrency.follow(labels, () => (state.isConsuming() ? route.terms.concurrency : 0)),
    metrics.oldestMessage.follow(labels, () => oldestSeconds(worker, Date.now())),
    metrics.lastSuccess.follow(labels, () => stats.lastSuccess / 1_000),
    metrics.retryBlocked.follow(labels, () => (state.isBlocked() ? 1 : 0)),
    metrics.queueUnreadable.follow(labels, () => (state.isUnreadable() ? 1 : 0)),
  ]
  return () => {
    for (const end of ends) end()
  }
}

const labelsOf = ({ metadata: { namespace, name } }: Subscription) => ({ namespace, subscription: name })

/** What came back from a delay is old by its schedule, and says nothing about how long messages wait. */
const oldestSeconds = ({ held, route }: FollowedWorker, now: number): number => {
  let oldest = now
  for (const { message } of held) {
    if (message.fields.exchange !== route.whence.returnExchange) oldest = Math.min(oldest, stampedAt(message) ?? now)
  }
  return (now - oldest) / 1_000
}
