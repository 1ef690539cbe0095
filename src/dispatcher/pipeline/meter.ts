import type { Subscription } from '../../api/kinds/subscription.ts'
import type { Outcome } from '../../delivery/attempt/outcome.ts'
import type { Decision } from '../../delivery/decide.ts'
import type { AttemptOutcome, CodeClass, Metrics } from '../../telemetry/metrics.ts'

const named: Readonly<Record<Decision['do'], AttemptOutcome>> = {
  acknowledge: 'delivered',
  retry: 'retried',
  'dead-letter': 'dead_lettered',
  requeue: 'requeued',
}

const classOf = (outcome: Outcome): CodeClass =>
  'status' in outcome && outcome.status >= 200 && outcome.status < 600
    ? (`${Math.floor(outcome.status / 100)}xx` as CodeClass)
    : 'none'

/** The metrics of one subscription, their labels bound once. */
export const meter = (metrics: Metrics, { metadata }: Subscription) => {
  const { namespace, name: subscription } = metadata
  const labels = { namespace, subscription }
  const delivered = metrics.deliveryAttempts.labels(namespace, subscription, 'delivered', '2xx')
  const duration = metrics.deliveryDuration.labels(namespace, subscription)
  const unconfirmed = metrics.copyUnconfirmed.labels(namespace, subscription)
  // A series that is there from the start is one that an alert can watch.
  delivered.inc(0)
  unconfirmed.inc(0)

  return {
    settled(outcome: Outcome, decision: Decision, durationMs: number): void {
      if (outcome.kind !== 'unsendable') duration.observe(durationMs / 1000)
      if (decision.do === 'acknowledge') {
        delivered.inc()
        return
      }
      metrics.deliveryAttempts.inc({ ...labels, outcome: named[decision.do], code_class: classOf(outcome) })
      if (decision.do === 'dead-letter') metrics.deadLettered.inc({ ...labels, reason: decision.reason })
    },
    unconfirmed: () => unconfirmed.inc(),
    delayed: (level: string) => metrics.retryScheduled.inc({ level }),
  }
}
