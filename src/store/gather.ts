import { broker } from '../api/broker.ts'
import { deadLetterPolicy } from '../api/dead-letter-policy.ts'
import { queue } from '../api/queue.ts'
import type { Resources } from '../api/resources.ts'
import { subscription } from '../api/subscription.ts'
import { topic } from '../api/topic.ts'
import type { Store } from './store.ts'

/** Everything the store knows, at one moment. */
export const gather = (store: Pick<Store, 'list'>): Resources => ({
  brokers: store.list(broker),
  topics: store.list(topic),
  queues: store.list(queue),
  subscriptions: store.list(subscription),
  deadLetterPolicies: store.list(deadLetterPolicy),
})
