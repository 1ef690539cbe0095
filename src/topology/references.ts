import type { Broker } from '../api/kinds/broker.ts'
import type { DeadLetterPolicy } from '../api/kinds/dead-letter-policy.ts'
import type { Queue } from '../api/kinds/queue.ts'
import type { Resources } from '../api/kinds/resources.ts'
import type { Subscription } from '../api/kinds/subscription.ts'
import type { Topic } from '../api/kinds/topic.ts'
import { isDeleting, type Resource } from '../api/resource.ts'

export type AttachedQueue = {
  readonly queue: Queue
  /** The topic of each of `spec.bindings`, in the same order. */
  readonly topics: readonly Topic[]
  readonly policy: DeadLetterPolicy | undefined
}

export type AttachedSubscription = {
  readonly subscription: Subscription
  readonly source: { readonly topic: Topic } | { readonly queue: Queue }
  readonly policy: DeadLetterPolicy | undefined
}

/** What uses one broker, oldest first: the first to owner a name has it. */
export type Attached = {
  readonly broker: Broker
  readonly topics: readonly Topic[]
  readonly queues: readonly AttachedQueue[]
  readonly subscriptions: readonly AttachedSubscription[]
}

/** A resource whose reference leads nowhere, or nowhere it may go: the two are told apart to nobody. */
export type Unresolved = {
  readonly resource: Topic | Queue | Subscription
  readonly field: string
  readonly message: string
}

type Mutable = { broker: Broker; topics: Topic[]; queues: AttachedQueue[]; subscriptions: AttachedSubscription[] }
type Named = { readonly name: string; readonly namespace?: string }

class RefError extends Error {
  readonly field: string
  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

/** Follows every reference. A reference across namespaces needs the consent of its target. */
export const resolveReferences = (
  resources: Resources,
): { attached: Map<string, Attached>; unresolved: readonly Unresolved[] } => {
  const brokers = byName(resources.brokers)
  const topics = byName(resources.topics)
  const queues = byName(resources.queues)
  const policies = byName(resources.deadLetterPolicies)
  const defaults = defaultPolicies(resources.deadLetterPolicies)
  const attached = new Map<string, Mutable>()
  for (const broker of resources.brokers) {
    attached.set(nameOf(broker), { broker, topics: [], queues: [], subscriptions: [] })
  }

  const follow = <R extends Resource>(
    found: Map<string, R>,
    kind: string,
    from: Resource,
    ref: Named,
    field: string,
    allows: (target: R) => 'Same' | 'All' = () => 'Same',
  ): R => {
    const namespace = ref.namespace ?? from.metadata.namespace
    const target = found.get(`${namespace}/${ref.name}`)
    if (target && (namespace === from.metadata.namespace || allows(target) === 'All')) return target
    throw new RefError(field, `${kind} ${namespace}/${ref.name} does not exist or does not permit this reference`)
  }
  const brokerOf = (from: Resource, ref: Named, field: string): Mutable => {
    const broker = follow(brokers, 'Broker', from, ref, field, ({ spec }) => spec.allowedNamespaces.from)
    const entry = attached.get(nameOf(broker))
    if (entry === undefined) throw new RefError(field, `Broker ${nameOf(broker)} does not exist`)
    return entry
  }
  const topicOf = (from: Resource, ref: Named, field: string): Topic =>
    follow(topics, 'Topic', from, ref, field, ({ spec }) => spec.allowedSubscribers.from)
  const policyOf = (from: Queue | Subscription): DeadLetterPolicy | undefined =>
    from.spec.deadLetterPolicyRef &&
    follow(policies, 'DeadLetterPolicy', from, from.spec.deadLetterPolicyRef, 'spec.deadLetterPolicyRef')

  const unresolved: Unresolved[] = []
  const each = <R extends Topic | Queue | Subscription>(list: readonly R[], resolve: (resource: R) => void) => {
    for (const resource of oldestFirst(list)) {
      try {
        resolve(resource)
      } catch (error) {
        if (!(error instanceof RefError)) throw error
        unresolved.push({ resource, field: error.field, message: error.message })
      }
    }
  }

  each(resources.topics, (topic) => brokerOf(topic, topic.spec.brokerRef, 'spec.brokerRef').topics.push(topic))
  each(resources.queues, (queue) => {
    const entry = brokerOf(queue, queue.spec.brokerRef, 'spec.brokerRef')
    const bound = (queue.spec.bindings ?? []).map(({ topicRef }, index) => {
      const field = `spec.bindings[${index}].topicRef`
      const topic = topicOf(queue, topicRef, field)
      if (brokerOf(topic, topic.spec.brokerRef, field) === entry) return topic
      throw new RefError(field, `Topic ${nameOf(topic)} is on another Broker than this queue`)
    })
    entry.queues.push({ queue, topics: bound, policy: policyOf(queue) })
  })
  each(resources.subscriptions, (subscription) => {
    const policy = policyOf(subscription) ?? defaults.get(subscription.metadata.namespace)
    const { topicRef, queueRef } = subscription.spec
    if (topicRef) {
      const topic = topicOf(subscription, topicRef, 'spec.topicRef')
      brokerOf(topic, topic.spec.brokerRef, 'spec.topicRef').subscriptions.push({
        subscription,
        source: { topic },
        policy,
      })
    } else if (queueRef) {
      const queue = follow(queues, 'Queue', subscription, queueRef, 'spec.queueRef')
      brokerOf(queue, queue.spec.brokerRef, 'spec.queueRef').subscriptions.push({
        subscription,
        source: { queue },
        policy,
      })
    }
  })
  return { attached, unresolved }
}

const nameOf = ({ metadata }: Resource): string => `${metadata.namespace}/${metadata.name}`

const byName = <R extends Resource>(list: readonly R[]): Map<string, R> =>
  new Map(list.map((resource) => [nameOf(resource), resource]))

const oldestFirst = <R extends Resource>(list: readonly R[]): readonly R[] =>
  list.toSorted(
    (a, b) => compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) || compare(nameOf(a), nameOf(b)),
  )

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const defaultPolicies = (policies: readonly DeadLetterPolicy[]): Map<string, DeadLetterPolicy> => {
  const found = new Map<string, DeadLetterPolicy>()
  for (const policy of oldestFirst(policies)) {
    const { namespace } = policy.metadata
    if (policy.spec.default && !isDeleting(policy) && !found.has(namespace)) found.set(namespace, policy)
  }
  return found
}
