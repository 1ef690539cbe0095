import { milliseconds } from '../../api/duration.ts'
import type { Subscription } from '../../api/kinds/subscription.ts'
import { type Outcome, reasonOf } from '../../delivery/attempt/outcome.ts'
import type { Decision } from '../../delivery/decide.ts'
import type { Copy } from '../../delivery/message/copy.ts'
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

/** The delay that a copy was published to, as durations are written. */
const levelOf = ({ exchange }: Copy): string | undefined =>
  exchange.startsWith(delayPrefix) ? exchange.slice(delayPrefix.length) : undefined

/** The metrics of one subscription, their labels bound once. */
export const meter = (metrics: Metrics, { metadata }: Subscription) => {
  const { namespace, name: subscription } = metadata
  const labels = { namespace, subscription }
  const delivered = metrics.deliveryAttempts.labels(namespace, subscription, 'delivered', '2xx')
  const duration = metrics.deliveryDuration.labels(namespace, subscription)
  const lag = metrics.publicationToDelivery.labels(namespace, subscription)
  const delayed = metrics.delayed.of(labels)
  const unconfirmed = metrics.copyUnconfirmed.labels(namespace, subscription)
  // A series that exists from the start can be watched by an alert.
  delivered.inc(0)
  unconfirmed.inc(0)

  return {
    /** A message that only waits longer was not attempted, and counts among the delayed ones alone. */
    settled({ attempt, outcome, decision, endedAt, published, stored }: Settled): void {
      const level = stored && levelOf(stored)
      if (level !== undefined) delayed.add(milliseconds(level), endedAt)
      if (decision.do === 'postpone' || decision.do === 'isolate') return
      if (outcome && outcome.kind !== 'unsendable') duration.observe((endedAt - attempt.begunAt) / 1000)
      if (decision.do === 'acknowledge') {
        delivered.inc()
        if (published !== undefined) lag.observe(Math.max(0, endedAt - published) / 1000)
        return
      }
      metrics.deliveryAttempts.inc({ ...labels, outcome: named[decision.do], code_class: classOf(outcome) })
      if (decision.do === 'dead-letter') metrics.deadLettered.inc({ ...labels, reason: decision.reason })
      if (outcome) metrics.deliveryFailures.inc({ ...labels, reason: reasonOf(outcome) })
      if (decision.do === 'retry' && level !== undefined) metrics.retryScheduled.inc({ level })
    },
    unconfirmed: () => unconfirmed.inc(),
  }
}
