import type { Definer } from './define.ts'

/** From 5 ms to the longest timeout that a Subscription may have. */
const deliveryBucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 1500]
/** From what a person does not notice to the longest delay. */
const lagBucketsSeconds = [0.05, 0.25, 1, 5, 30, 120, 600, 3600, 21_600, 86_400]

const subscription = ['namespace', 'subscription'] as const
/** Of a Queue, `queue` is there in place of `subscription`. */
const letterSource = [...subscription, 'queue'] as const

/** What the operator observes of subscriptions and their dead letters, and what statuses say of them. */
export const observedMetrics = ({ gauge, age }: Definer) => ({
  /** `namespace, subscription, state` (ready, inflight). */
  subscriptionBacklog: gauge(
    'subscription_backlog',
    'Messages in the queue of a subscription when last observed',
    ...subscription,
    'state',
  ),
  /** `namespace, queue, state` (ready, inflight). */
  queueBacklog: gauge(
    'queue_backlog',
    'Messages in the queue of a Queue when last observed',
    'namespace',
    'queue',
    'state',
  ),
  /** `namespace, subscription`. */
  scalingPending: gauge(
    'subscription_scaling_pending',
    'Messages that a subscription still has to deliver, ready and in flight: the signal to scale on',
    ...subscription,
  ),
  /** `namespace`, and `subscription` or `queue`. */
  deadLetters: gauge('dead_letters', 'Messages in the dead-letter queue when last observed', ...letterSource),
  /** `namespace`, and `subscription` or `queue`: 0 or 1. */
  deadLettersAlert: gauge(
    'dead_letters_alert',
    '1 while the dead letters are as many or as old as alert of the DeadLetterPolicy says',
    ...letterSource,
  ),
  /** `namespace`, and `subscription` or `queue`. */
  deadLettersOldest: age(
    'dead_letters_oldest_age_seconds',
    'Age of the oldest message in the dead-letter queue, since it was dead-lettered; 0 where there is none',
    ...letterSource,
  ),
  /** `namespace, subscription, reason`: a series for each subscription, with the reason of its condition Delivering. */
  delivering: gauge(
    'subscription_delivering',
    'Whether the condition Delivering of a subscription is True, with its reason: 0 or 1',
    ...subscription,
    'reason',
  ),
})

/** What a dispatcher counts of subscriptions. */
export const deliveryMetrics = ({ counter, histogram }: Definer) => ({
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
  /** `namespace, subscription, reason`. */
  deadLettered: counter('dead_lettered_total', 'Messages dead-lettered, by reason', ...subscription, 'reason'),
  /** `namespace, subscription`. */
  copyUnconfirmed: counter(
    'copy_unconfirmed_total',
    'Copies for retry or dead letter that the broker refused, returned or did not confirm; the originals stay in their queue',
    ...subscription,
  ),
  /** `namespace, subscription, reason`. */
  deliveryFailures: counter(
    'delivery_failures_total',
    'Attempts that were not answered 2xx, by reason',
    ...subscription,
    'reason',
  ),
  /** `namespace, subscription`; in seconds. */
  publicationToDelivery: histogram(
    'publication_to_delivery_seconds',
    'Time from the time of an event, or the timestamp of its message, to the answer 2xx',
    lagBucketsSeconds,
    ...subscription,
  ),
})

/** What a dispatcher is asked for of its workers. */
export const workerMetrics = ({ followed, delayed }: Definer) => ({
  /** `namespace, subscription`: 0 or 1. */
  queueUnreadable: followed(
    'most',
    'queue_unreadable',
    'Whether a message in its queue ends the connection that it is delivered on: 0 or 1',
    ...subscription,
  ),
  /** `namespace, subscription`: 0 or 1. */
  retryBlocked: followed(
    'most',
    'subscription_retry_blocked',
    'Whether messages stay in their queue because their copies for retry or dead letter are not confirmed: 0 or 1',
    ...subscription,
  ),
  /** `namespace, subscription`. */
  inFlight: followed(
    'sum',
    'subscription_in_flight',
    'Messages that this process has in hand for a subscription',
    ...subscription,
  ),
  /** `namespace, subscription`. */
  concurrency: followed(
    'sum',
    'subscription_concurrency',
    'Most messages that this process has in hand for a subscription at a time; 0 while it cannot consume',
    ...subscription,
  ),
  /** `namespace, subscription`; in seconds. */
  oldestMessage: followed(
    'most',
    'subscription_oldest_message_age_seconds',
    'Age, by their timestamps, of the oldest message in hand that was not tried before; 0 where there is none',
    ...subscription,
  ),
  /** `namespace, subscription`; in seconds since 1970. */
  lastSuccess: followed(
    'most',
    'delivery_last_success_timestamp_seconds',
    'When a delivery was last answered 2xx; 0 while none was since this process began',
    ...subscription,
  ),
  /** `namespace, subscription`. */
  delayed: delayed(
    'subscription_delayed_messages',
    'Messages that this process has put into delay queues and that have not come back yet, to about 3 % of their delay',
    ...subscription,
  ),
})
