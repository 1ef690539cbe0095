import type { Broker } from '../../api/kinds/broker.ts'
import type { Queue } from '../../api/kinds/queue.ts'
import type { Topic } from '../../api/kinds/topic.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import {
  deadLetterQueueOf,
  deadLetterQueueOfQueue,
  delayPrefix,
  orphanQueue,
  queueOf,
  retryQueueOf,
  unroutedOf,
} from '../../topology/names.ts'
import { type Attached, type AttachedSubscription, sourceQueueOf } from '../../topology/references.ts'
import type { Observed, QueueState } from '../../topology/topology.ts'
import type { Applied } from './apply-all.ts'
import type { Converged, Memory } from './converge.ts'
import { alertReason, type HeldLetters } from './dead-letters-alert.ts'

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
  { broker, topics, queues, subscriptions }: Attached,
  { observed: { states }, stalled }: Pick<Converged, 'observed' | 'stalled'>,
  before: Pick<Memory, 'lastSeen'>,
): void => {
  const standing = new Set(stalled.map(({ level }) => level))
  const labels = { namespace: broker.metadata.namespace, broker: broker.metadata.name }
  for (const key of before.lastSeen) {
    const queue = key.startsWith(`queue ${delayPrefix}`) ? key.slice('queue '.length) : undefined
    if (queue === undefined || states.has(queue)) continue
    const level = queue.slice(delayPrefix.length)
    metrics.brokerDelayedMessages.remove({ ...labels, level })
    metrics.ladderStalled.remove({ ...labels, level })
  }
  for (const { name, messages } of states.values()) {
    if (!name.startsWith(delayPrefix)) continue
    const level = name.slice(delayPrefix.length)
    metrics.brokerDelayedMessages.set({ ...labels, level }, messages)
    metrics.ladderStalled.set({ ...labels, level }, standing.has(level) ? 1 : 0)
  }
  metrics.orphanedMessages.set(labels, states.get(orphanQueue)?.messages ?? 0)
  for (const topic of topics) unroutedMetrics(metrics, topic, states)
  for (const entry of subscriptions) {
    const { subscription } = entry
    const { namespace, name } = subscription.metadata
    const of = { namespace, subscription: name }
    const { ready, unacknowledged, messages } = backlogOf(entry, states)
    metrics.subscriptionBacklog.set({ ...of, state: 'ready' }, ready)
    metrics.subscriptionBacklog.set({ ...of, state: 'inflight' }, unacknowledged)
    metrics.scalingPending.set(of, messages)
    const queue = deadLetterQueueOf(subscription)
    const count = states.get(queue)?.messages ?? 0
    letterMetrics(metrics, of, { queue, count, policy: entry.policy, found: subscription.status?.deadLetters })
  }
  for (const { queue, policy } of queues) {
    const { namespace, name } = queue.metadata
    queueMetrics(metrics, queue, states)
    if (queue.spec.deadLetterPolicyRef === undefined) {
      metrics.forgetQueueLetters(namespace, name)
      continue
    }
    const letters = deadLetterQueueOfQueue(queue)
    const count = states.get(letters)?.messages ?? 0
    const held = { queue: letters, count, policy, found: queue.status?.deadLetters }
    letterMetrics(metrics, { namespace, queue: name }, held)
  }
}

const queueMetrics = (metrics: Metrics, queue: Queue, states: Observed['states']): void => {
  const { namespace, name } = queue.metadata
  const state = states.get(queueOf(queue))
  metrics.queueBacklog.set({ namespace, queue: name, state: 'ready' }, state?.ready ?? 0)
  metrics.queueBacklog.set({ namespace, queue: name, state: 'inflight' }, state?.unacknowledged ?? 0)
}

/** A Topic that drops what nobody wants has no queue for it. */
const unroutedMetrics = (metrics: Metrics, topic: Topic, states: Observed['states']): void => {
  const { namespace, name } = topic.metadata
  const parked = states.get(unroutedOf(topic))
  if (parked === undefined) metrics.unroutedMessages.remove(namespace, name)
  else metrics.unroutedMessages.set({ namespace, topic: name }, parked.messages)
}

type LetterLabels = { readonly namespace: string } & ({ readonly subscription: string } | { readonly queue: string })

const letterMetrics = (metrics: Metrics, of: LetterLabels, held: HeldLetters): void => {
  metrics.deadLetters.set(of, held.count)
  metrics.deadLettersAlert.set(of, alertReason(held, Date.now()) === undefined ? 0 : 1)
}

/** What waits to be delivered by a Subscription: in the queue that it delivers from, and come back for a retry. */
export const backlogOf = (
  entry: AttachedSubscription,
  states: Observed['states'],
): Pick<QueueState, 'ready' | 'unacknowledged' | 'messages'> => {
  const sum = { ready: 0, unacknowledged: 0, messages: 0 }
  for (const name of [sourceQueueOf(entry), retryQueueOf(entry.subscription)]) {
    const state = states.get(name)
    sum.ready += state?.ready ?? 0
    sum.unacknowledged += state?.unacknowledged ?? 0
    sum.messages += state?.messages ?? 0
  }
  return sum
}
