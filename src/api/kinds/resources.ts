import type { Broker } from './broker.ts'
import type { DeadLetterPolicy } from './dead-letter-policy.ts'
import type { Queue } from './queue.ts'
import type { Subscription } from './subscription.ts'
import type { Topic } from './topic.ts'

/** All resources of every kind, at one moment. */
export type Resources = {
  readonly brokers: readonly Broker[]
  readonly topics: readonly Topic[]
  readonly queues: readonly Queue[]
  readonly subscriptions: readonly Subscription[]
  readonly deadLetterPolicies: readonly DeadLetterPolicy[]
}
