import { type Counter, collectDefaultMetrics, type Gauge, Registry } from 'prom-client'
import { brokerMetrics } from './broker-metrics.ts'
import { definerOf } from './define.ts'
import { processMetrics } from './process-metrics.ts'
import { deliveryMetrics, observedMetrics, workerMetrics } from './subscription-metrics.ts'

const states = ['ready', 'inflight'] as const
const outcomes = ['delivered', 'retried', 'dead_lettered', 'requeued'] as const
const codeClasses = ['2xx', '3xx', '4xx', '5xx', 'none'] as const

/** Gauges of prom-client whose names are those of counters; the same without `_total` have a series for each kind of resource. */
const misnamed = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`)

/** What the metrics of a controller say of one of its keys. */
export type ReconcileLabels = { readonly namespace: string; readonly broker: string }

/** How one attempt ended, for `delivery_attempts_total`. */
export type AttemptOutcome = (typeof outcomes)[number]
/** Class of the HTTP status; `none` where there was no answer. */
export type CodeClass = (typeof codeClasses)[number]

/**
 * Every metric of Waybill, in a registry of its own. Names have the prefix `waybill_`.
 * Bind the labels once where a metric is used often: `metrics.deliveryAttempts.labels(namespace, name, 'delivered', '2xx')`.
 */
export const createMetrics = () => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of misnamed) registry.removeSingleMetric(name)
  const definer = definerOf(registry)
  const [observed, deliveries, workers] = [observedMetrics(definer), deliveryMetrics(definer), workerMetrics(definer)]
  const [brokers, process] = [brokerMetrics(definer), processMetrics(definer)]
  const metrics = { ...observed, ...deliveries, ...workers, ...brokers, ...process }

  const forgetQueueLetters = (namespace: string, name: string): void => {
    metrics.deadLetters.remove({ namespace, queue: name })
    metrics.deadLettersAlert.remove({ namespace, queue: name })
    metrics.deadLettersOldest.remove({ namespace, queue: name })
  }

  return {
    registry,
    ...metrics,
    /** Drops what is said of the dead letters of a Queue that has no dead-letter queue any more. */
    forgetQueueLetters,
    /** Drops every series of a subscription that is gone. */
    async forgetSubscription(namespace: string, name: string): Promise<void> {
      for (const state of states) metrics.subscriptionBacklog.remove(namespace, name, state)
      for (const outcome of outcomes) {
        for (const codeClass of codeClasses) metrics.deliveryAttempts.remove(namespace, name, outcome, codeClass)
      }
      metrics.scalingPending.remove(namespace, name)
      metrics.deliveryDuration.remove(namespace, name)
      metrics.deadLetters.remove({ namespace, subscription: name })
      metrics.deadLettersAlert.remove({ namespace, subscription: name })
      metrics.deadLettersOldest.remove({ namespace, subscription: name })
      metrics.copyUnconfirmed.remove(namespace, name)
      metrics.publicationToDelivery.remove(namespace, name)
      const gone = { namespace, subscription: name }
      for (const followed of Object.values(workers)) followed.remove(gone)
      await removeWhere(metrics.deadLettered, gone)
      await removeWhere(metrics.deliveryFailures, gone)
      await removeWhere(metrics.delivering, gone)
    },
    /** Drops every series of a Queue that is gone. */
    forgetQueue(namespace: string, name: string): void {
      for (const state of states) metrics.queueBacklog.remove(namespace, name, state)
      forgetQueueLetters(namespace, name)
    },
    /** Drops what was last observed of the brokers: another process observes them now. */
    forgetObserved(): void {
      for (const observed of [
        metrics.subscriptionBacklog,
        metrics.queueBacklog,
        metrics.scalingPending,
        metrics.deadLetters,
        metrics.deadLettersAlert,
        metrics.brokerDelayedMessages,
        metrics.ladderStalled,
        metrics.brokerConnected,
        metrics.orphanedMessages,
        metrics.retainedObjects,
        metrics.unroutedMessages,
      ]) {
        observed.reset()
      }
    },
    /** Drops every series of a key of a controller that is gone. */
    async forgetReconciles(gone: ReconcileLabels & { readonly controller: string }): Promise<void> {
      metrics.reconcileDuration.remove(gone)
      await removeWhere(metrics.reconciles, gone)
    },
    /** Drops every series of a broker that is gone. */
    async forgetBroker(namespace: string, name: string): Promise<void> {
      const { brokerDelayedMessages, ladderStalled, brokerChanges, driftDetected } = metrics
      metrics.brokerConnected.remove(namespace, name)
      metrics.brokerAmqpConnected.remove(namespace, name)
      metrics.orphanedMessages.remove(namespace, name)
      metrics.retainedObjects.remove(namespace, name)
      const gone = { namespace, broker: name }
      await removeWhere(brokerDelayedMessages, gone)
      await removeWhere(ladderStalled, gone)
      await removeWhere(brokerChanges, gone)
      await removeWhere(driftDetected, gone)
    },
  }
}

export type Metrics = ReturnType<typeof createMetrics>

/** Removes the series whose labels contain `wanted`, whatever their other labels are. */
const removeWhere = async <L extends string>(
  metric: Counter<L> | Gauge<L>,
  wanted: Partial<Record<L, string>>,
): Promise<void> => {
  const matches = Object.entries(wanted) as [L, string][]
  for (const { labels } of (await metric.get()).values) {
    if (matches.every(([label, value]) => labels[label] === value)) metric.remove(labels)
  }
}
