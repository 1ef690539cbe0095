import type { Broker } from '../../api/kinds/broker.ts'
import type { DeadLetterPolicy } from '../../api/kinds/dead-letter-policy.ts'
import type { Queue } from '../../api/kinds/queue.ts'
import type { Subscription } from '../../api/kinds/subscription.ts'
import type { Topic } from '../../api/kinds/topic.ts'
import { gather } from '../../store/gather.ts'
import type { Store } from '../../store/store.ts'
import { resolveReferences, type Unresolved } from '../../topology/references.ts'

/** The Broker of a Subscription, Queue or Topic, and its dead-letter policy, as its references lead to them. */
export const attachedFor = (
  resource: Subscription | Queue | Topic,
  store: Pick<Store, 'list'>,
):
  | {
      readonly broker: Broker
      readonly policy: DeadLetterPolicy | undefined
      readonly unknownPolicy?: Unresolved | undefined
    }
  | undefined => {
  for (const { broker, topics, queues, subscriptions } of resolveReferences(gather(store)).attached.values()) {
    if (topics.some((topic) => topic === resource)) return { broker, policy: undefined }
    const found =
      queues.find(({ queue }) => queue === resource) ?? subscriptions.find((each) => each.subscription === resource)
    if (found) return { broker, policy: found.policy, unknownPolicy: found.unknownPolicy }
  }
  return undefined
}
