import type { Definer } from './define.ts'

const broker = ['namespace', 'broker'] as const

/** What is seen on brokers, and done there. */
export const brokerMetrics = ({ gauge, counter }: Definer) => ({
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
  /** `namespace, broker`. */
  orphanedMessages: gauge(
    'broker_orphaned_messages',
    'Delayed messages whose queue is gone, when last observed',
    ...broker,
  ),
  /** `namespace, broker`. */
  retainedObjects: gauge(
    'broker_retained_objects',
    'Queues and exchanges of resources that no longer exist, when last observed',
    ...broker,
  ),
  /** `namespace, topic`. */
  unroutedMessages: gauge(
    'topic_unrouted_messages',
    'Events of a topic that no subscription wanted, in its queue when last observed',
    'namespace',
    'topic',
  ),
})
