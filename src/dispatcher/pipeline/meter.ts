import type { Subscription } from '../../api/kinds/subscription.ts'
import type { Outcome } from '../../delivery/attempt/outcome.ts'
import type { Decision } from '../../delivery/decide.ts'
import type { AttemptOutcome, CodeClass, Metrics } from '../../telemetry/metrics.ts'
import { delayPrefix } from '../../topology/names.ts'
import type { Settled } from './settle.ts'

const named: Readonly<Record<Exclude<Decision['do'], 'postpone' | 'isolate'>, AttemptOutcome>> = {
  acknowledge: 'delivered',
  retry: 'retried',
  'dead-letter': 'dead_lettered',
  suspend: 'requeued',
  requeue: 'requeued',
}

const classOf = (outcome: Outcome | undefined): CodeClass =>
  outcome && 'status' in outcome && outcome.status >= 200 && outcome.status < 600
    ? (`${Math.floor(outcome.status / 100)}xx` as CodeClass)
    : 'none'

/** The metrics of one subscription, their labels bound once. */
export const meter = (metrics: Metrics, { metadata }: Subscription) => {
  const { namespace, name: subscription } = metadata
  const labels = { namespace, subscription }
  const delivered = metrics.deliveryAttempts.labels(namespace, subscription, 'delivered', '2xx')
  const duration = metrics.deliveryDuration.labels(namespace, subscription)
  const unconfirmed = metrics.copyUnconfirmed.labels(namespace, subscription)
  // A series that exists from the start can be watched by an alert.
  delivered.inc(0)
  unconfirmed.inc(0)

  return {
    /** A message that only waits longer was not attempted, and counts nowhere. */
    settled({ attempt, outcome, decision, endedAt, stored }: Settled): void {
      if (decision.do === 'postpone' || decision.do === 'isolate') return
      if (outcome && outcome.kind !== 'unsendable') duration.observe((endedAt - attempt.begunAt) / 1000)
      if (decision.do === 'acknowledge') {
        delivered.inc()
        return
      }
      metrics.deliveryAttempts.inc({ ...labels, outcome: named[decision.do], code_class: classOf(outcome) })
      if (decision.do === 'dead-letter') metrics.deadLettered.inc({ ...labels, reason: decision.reason })
      if (decision.do === 'retry' && stored)
        metrics.retryScheduled.inc({ level: stored.exchange.slice(delayPrefix.length) })
    },
    unconfirmed: () => unconfirmed.inc(),
  }
}
