import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { AgeGauge } from './age-gauge.ts'

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

/** From 5 ms to the longest timeout that a Subscription may have. */
const deliveryBucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 1500]
const reconcileBucketsSeconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/**
 * Every metric of Waybill, in a registry of its own. Names have the prefix `waybill_`.
 * Bind the labels once where a metric is used often: `metrics.deliveryAttempts.labels(namespace, name, 'delivered', '2xx')`.
 */
export const createMetrics = () => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of misnamed) registry.removeSingleMetric(name)
  const registers = [registry]

  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name: `waybill_${name}`, help, labelNames, registers })
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `waybill_${name}`, help, labelNames, registers })
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name: `waybill_${name}`, help, buckets, labelNames, registers })

  const subscription = ['namespace', 'subscription'] as const
  /** Of a Queue, `queue` is there in place of `subscription`. */
  const letterSource = [...subscription, 'queue'] as const
  const broker = ['namespace', 'broker'] as const
  const reconciled = ['controller', ...broker] as const

  const metrics = {
    /** `namespace, subscription, state` (ready, inflight). */
    subscriptionBacklog: gauge(
      'subscription_backlog',
      'Messages in the queue of a subscription when last observed',
      ...subscription,
      'state',
    ),
    /** `namespace, subscription`. */
    scalingPending: gauge(
      'subscription_scaling_pending',
      'Messages that a subscription still has to deliver, ready and in flight: the signal to scale on',
      ...subscription,
    ),
    /** `namespace, subscription, outcome, code_class`: see {@link AttemptOutcome} and {@link CodeClass}. */
    deliveryAttempts: counter(
      'delivery_attempts_total',
      'Attempts to deliver, by how they ended',
      ...subscription,
      'outcome',
      'code_class',
    ),
    /** `namespace, subscription`; in seconds. */
    deliveryDuration: histogram(
      'delivery_duration_seconds',
      'Duration of attempts to deliver, from connecting to the end of the response',
      deliveryBucketsSeconds,
      ...subscription,
    ),
    /** `level`: the delay, as durations are written. */
    retryScheduled: counter('retry_scheduled_total', 'Messages put into a delay queue', 'level'),
    /** `namespace`, and `subscription` or `queue`. */
    deadLetters: gauge('dead_letters', 'Messages in the dead-letter queue when last observed', ...letterSource),
    /** `namespace`, and `subscription` or `queue`: 0 or 1. */
    deadLettersAlert: gauge(
      'dead_letters_alert',
      '1 while the dead letters are as many or as old as alert of the DeadLetterPolicy says',
      ...letterSource,
    ),
    /** `namespace`, and `subscription` or `queue`. */
    deadLettersOldest: new AgeGauge({
      name: 'waybill_dead_letters_oldest_age_seconds',
      help: 'Age of the oldest message in the dead-letter queue, since it was dead-lettered; 0 where there is none',
      labelNames: letterSource,
      registers,
    }),
    /** `kind, result` (delivered, failed). */
    jobMessages: counter(
      'job_messages_total',
      'Dead letters that Replays and Discards have taken, by how that ended',
      'kind',
      'result',
    ),
    /** `namespace, subscription, reason`. */
    deadLettered: counter('dead_lettered_total', 'Messages dead-lettered, by reason', ...subscription, 'reason'),
    /** `namespace, subscription`. */
    copyUnconfirmed: counter(
      'copy_unconfirmed_total',
      'Copies for retry or dead letter that the broker refused, returned or did not confirm; the originals stay in their queue',
      ...subscription,
    ),
    /** `namespace, subscription`: 0 or 1. */
    queueUnreadable: gauge(
      'queue_unreadable',
      'Whether a message in its queue ends the connection that it is delivered on: 0 or 1',
      ...subscription,
    ),
    /** `namespace, broker, level`. */
    brokerDelayedMessages: gauge(
      'broker_delayed_messages',
      'Messages in a delay queue when last observed',
      ...broker,
      'level',
    ),
    /** `namespace, broker, level`: 0 or 1. */
    ladderStalled: gauge(
      'ladder_stalled',
      'Whether a delay queue stands still, because a queue refuses what comes back from it: 0 or 1',
      ...broker,
      'level',
    ),
    /** `namespace, broker`: 0 or 1. */
    brokerConnected: gauge(
      'broker_connected',
      'Whether the management API answered when last observed: 0 or 1',
      ...broker,
    ),
    /** `namespace, broker`: 0 or 1. */
    brokerAmqpConnected: gauge('broker_amqp_connected', 'Whether the AMQP connections are up: 0 or 1', ...broker),
    /** `namespace, broker, change, result` (applied, failed); `change` is the `do` of a change. */
    brokerChanges: counter(
      'broker_changes_total',
      'Changes requested from the broker, by kind of change and result',
      ...broker,
      'change',
      'result',
    ),
    /** `namespace, broker, kind` (exchange, queue, binding, policy). */
    driftDetected: counter(
      'drift_detected_total',
      'Objects found missing or different on the broker although no resource had changed',
      ...broker,
      'kind',
    ),
    /** `controller, namespace, broker, result` (done, failed); only `topology` has namespace and broker. */
    reconciles: counter('reconcile_total', 'Reconciles, by controller and result', ...reconciled, 'result'),
    /** `controller, namespace, broker`, as above; in seconds. */
    reconcileDuration: histogram(
      'reconcile_duration_seconds',
      'Duration of reconciles, by controller',
      reconcileBucketsSeconds,
      ...reconciled,
    ),
    /** `controller`. */
    reconcileErrors: counter(
      'reconcile_errors_total',
      'Reconciles that ended with an unexpected error, by controller',
      'controller',
    ),
    /** `kind`. */
    resources: gauge('resources', 'Resources known, by kind', 'kind'),
    /** No labels. */
    manifestProblems: gauge('manifest_problems', 'Problems in the present manifests'),
    /** No labels. */
    dispatcherReplicas: gauge(
      'dispatcher_replicas',
      'Replicas of the dispatcher that are alive to this one, itself included',
    ),
    /** No labels; in seconds. */
    dispatcherSnapshotAge: gauge(
      'dispatcher_snapshot_age_seconds',
      'Time since the last response of the replica of the dispatcher that has been silent for the longest',
    ),
    /** `manager`. */
    statusWrites: counter('status_writes_total', 'Statuses written, by field manager', 'manager'),
    /** No labels: 0 or 1. */
    leading: gauge(
      'leading',
      'Whether this process holds the lease, and so is the one of its kind that writes: 0 or 1',
    ),
    /** `verb` as in RBAC, `code`: the HTTP status, or `none` where there was no answer. */
    apiRequests: counter('api_requests_total', 'Requests to the Kubernetes API server', 'verb', 'code'),
    /** `kind, namespace` (empty: all). */
    lists: counter(
      'lists_total',
      'Lists of all resources of a kind requested from the API server',
      'kind',
      'namespace',
    ),
    /** `kind, namespace, cause` (ended, expired, silent, failed). */
    watchEnds: counter('watch_ends_total', 'Ends of watches, by cause', 'kind', 'namespace', 'cause'),
    /** `kind, namespace`; in seconds since 1970. */
    watchReceived: gauge(
      'watch_received_timestamp_seconds',
      'When a watch last received something: a quiet one does so about once a minute',
      'kind',
      'namespace',
    ),
  }

  return {
    registry,
    ...metrics,
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
      metrics.queueUnreadable.remove(namespace, name)
      await removeWhere(metrics.deadLettered, { namespace, subscription: name })
    },
    /** Drops every series of a Queue that is gone, or has no dead-letter queue any more. */
    forgetQueue(namespace: string, name: string): void {
      metrics.deadLetters.remove({ namespace, queue: name })
      metrics.deadLettersAlert.remove({ namespace, queue: name })
      metrics.deadLettersOldest.remove({ namespace, queue: name })
    },
    /** Drops what was last observed of the brokers: another process observes them now. */
    forgetObserved(): void {
      for (const observed of [
        metrics.subscriptionBacklog,
        metrics.scalingPending,
        metrics.deadLetters,
        metrics.deadLettersAlert,
        metrics.brokerDelayedMessages,
        metrics.ladderStalled,
        metrics.brokerConnected,
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
