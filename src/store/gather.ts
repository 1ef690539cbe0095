import { broker } from '../api/kinds/broker.ts'
import { deadLetterPolicy } from '../api/kinds/dead-letter-policy.ts'
import { queue } from '../api/kinds/queue.ts'
import type { Resources } from '../api/kinds/resources.ts'
import { subscription } from '../api/kinds/subscription.ts'
import { topic } from '../api/kinds/topic.ts'
import type { Store } from './store.ts'

/** Everything the store knows, at one moment. */
export const gather = (store: Pick<Store, 'list'>): Resources => ({
  brokers: store.list(broker),
  topics: store.list(topic),
  queues: store.list(queue),
  subscriptions: store.list(subscription),
  deadLetterPolicies: store.list(deadLetterPolicy),
})
