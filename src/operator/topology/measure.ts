import type { Broker } from '../../api/kinds/broker.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { deadLetterQueueOf, delayPrefix, queueOf, subscriptionQueueOf } from '../../topology/names.ts'
import type { Attached } from '../../topology/references.ts'
import type { Observed } from '../../topology/topology.ts'
import type { Applied } from './apply-all.ts'
import type { Memory } from './converge.ts'

/** Counts the changing calls of one reconcile. */
export const changeMetrics = (metrics: Metrics, { metadata }: Broker, applied: readonly Applied[]): void => {
  for (const { planned, error } of applied) {
    const result = error === undefined ? 'applied' : 'failed'
    metrics.brokerChanges.inc({
      namespace: metadata.namespace,
      broker: metadata.name,
      change: planned.change.do,
      result,
    })
  }
}

/** What the queues were observed to hold. The series of delay queues that were there `before` and are gone are removed. */
export const backlogMetrics = (
  metrics: Metrics,
  { broker, subscriptions }: Attached,
  { states }: Observed,
  before: Pick<Memory, 'lastSeen'>,
): void => {
  const labels = { namespace: broker.metadata.namespace, broker: broker.metadata.name }
  for (const key of before.lastSeen) {
    const queue = key.startsWith(`queue ${delayPrefix}`) ? key.slice('queue '.length) : undefined
    if (queue === undefined || states.has(queue)) continue
    metrics.brokerDelayedMessages.remove({ ...labels, level: queue.slice(delayPrefix.length) })
  }
  for (const { name, messages } of states.values()) {
    if (!name.startsWith(delayPrefix)) continue
    metrics.brokerDelayedMessages.set({ ...labels, level: name.slice(delayPrefix.length) }, messages)
  }
  for (const { subscription, source } of subscriptions) {
    const { namespace, name } = subscription.metadata
    const of = { namespace, subscription: name }
    const state = states.get('queue' in source ? queueOf(source.queue) : subscriptionQueueOf(subscription))
    metrics.subscriptionBacklog.set({ ...of, state: 'ready' }, state?.ready ?? 0)
    metrics.subscriptionBacklog.set({ ...of, state: 'inflight' }, state?.unacknowledged ?? 0)
    metrics.scalingPending.set(of, state?.messages ?? 0)
    metrics.deadLetters.set(of, states.get(deadLetterQueueOf(subscription))?.messages ?? 0)
  }
}
