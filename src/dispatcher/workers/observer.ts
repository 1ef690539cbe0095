import type { Subscription } from '../../api/kinds/subscription.ts'
import type { DeliveryStats } from '../../delivery/stats.ts'
import type { Idle } from './routes.ts'
import type { Worker } from './worker.ts'

/** What the fleet reports of its subscriptions: the port that `status/` implements. */
export type SubscriptionObserver = {
  /** The counts of a subscription, which outlive its workers. */
  statsOf(subscription: Subscription): DeliveryStats
  /** The state or the counts of a worker changed. Called for every message. */
  changed(worker: Worker): void
  /** A subscription is not delivered, and why. */
  idle(idle: Idle): void
  /** A subscription is not reported on any more, until it is delivered or idle again. */
  dropped(subscription: Subscription): void
}
