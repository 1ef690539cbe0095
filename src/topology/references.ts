import type { Broker } from '../api/kinds/broker.ts'
import type { DeadLetterPolicy } from '../api/kinds/dead-letter-policy.ts'
import type { Queue } from '../api/kinds/queue.ts'
import type { Resources } from '../api/kinds/resources.ts'
import type { Subscription } from '../api/kinds/subscription.ts'
import type { Topic } from '../api/kinds/topic.ts'
import { isDeleting, keyFrom, keyOf, type Resource } from '../api/resource.ts'
import { queueOf, subscriptionQueueOf } from './names.ts'
import type { LabelsOf } from './namespace-selector.ts'

/** What becomes of the dead letters of a Queue or Subscription. */
type WithPolicy = {
  readonly policy: DeadLetterPolicy | undefined
  /**
   * It names a policy that is not there, or not any more. It stays as it is on the broker, and what the policy may have withheld of
   * dead letters is not known.
   */
  readonly unknownPolicy?: Unresolved
}

/** A Queue with what it refers to. */
export type AttachedQueue = {
  readonly queue: Queue
  /** The topic of each of `spec.bindings`, in the same order. */
  readonly topics: readonly Topic[]
} & WithPolicy

/** A Subscription with what it refers to. */
export type AttachedSubscription = {
  readonly subscription: Subscription
  readonly source: { readonly topic: Topic } | { readonly queue: Queue }
} & WithPolicy

/** The resource that declares the queue which a Subscription delivers from. */
export const declarerOf = ({ subscription, source }: AttachedSubscription): Queue | Subscription =>
  'queue' in source ? source.queue : subscription

/** The queue which a Subscription delivers from. */
export const sourceQueueOf = ({ subscription, source }: AttachedSubscription): string =>
  'queue' in source ? queueOf(source.queue) : subscriptionQueueOf(subscription)

/** What uses one broker, oldest first: where two want one name, the first has it. */
export type Attached = {
  readonly broker: Broker
  readonly topics: readonly Topic[]
  readonly queues: readonly AttachedQueue[]
  readonly subscriptions: readonly AttachedSubscription[]
  /** By which a Broker may let namespaces choose names, and adopt. */
  readonly labelsOf: LabelsOf
}

/** Everything attached to a broker, the broker first. */
export const membersOf = ({ broker, topics, queues, subscriptions }: Attached): Resource[] => [
  broker,
  ...topics,
  ...queues.map(({ queue }) => queue),
  ...subscriptions.map(({ subscription }) => subscription),
]

/**
 * A resource with a reference to something that does not exist or does not permit it. The two cases are reported
 * identically, so that nobody can probe for names.
 */
export type Unresolved = {
  readonly resource: Topic | Queue | Subscription
  readonly field: string
  readonly message: string
}

type Mutable = {
  broker: Broker
  topics: Topic[]
  queues: AttachedQueue[]
  subscriptions: AttachedSubscription[]
  labelsOf: LabelsOf
}
type Named = { readonly name: string; readonly namespace?: string }

class RefError extends Error {
  readonly field: string
  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

/** Of what is attached all the same: the policies that are named and are not there. */
export const unknownPolicies = (attached: Iterable<Attached>): readonly Unresolved[] =>
  [...attached].flatMap(({ queues, subscriptions }) =>
    [...queues, ...subscriptions].flatMap(({ unknownPolicy }) => unknownPolicy ?? []),
  )

/**
 * Follows every reference. A reference across namespaces needs the consent of its target. Only a dead-letter policy may be missing:
 * nothing need stop for it, so what names it is attached without one.
 */
export const resolveReferences = (
  resources: Resources,
  labelsOf: LabelsOf = () => undefined,
): { attached: Map<string, Attached>; unresolved: readonly Unresolved[] } => {
  const targets = targetsOf(resources, labelsOf)
  const { brokerOf } = targets
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
    entry.queues.push(resolveQueue(queue, entry, targets))
  })
  each(resources.subscriptions, (subscription) => {
    const resolved = resolveSubscription(subscription, targets)
    resolved?.entry.subscriptions.push(resolved.attached)
  })
  return { attached: targets.attached, unresolved }
}

/** What references may lead to, and how each is followed. All throw a RefError. */
const targetsOf = (resources: Resources, labelsOf: LabelsOf) => {
  const brokers = byKey(resources.brokers)
  const topics = byKey(resources.topics)
  const queues = byKey(resources.queues)
  const policies = byKey(resources.deadletterpolicies)
  const attached = new Map<string, Mutable>(
    resources.brokers.map((broker) => [keyOf(broker), { broker, topics: [], queues: [], subscriptions: [], labelsOf }]),
  )
  return {
    attached,
    defaults: defaultPolicies(resources.deadletterpolicies),
    brokerOf(from: Resource, ref: Named, field: string): Mutable {
      const broker = follow(brokers, { kind: 'Broker', from, ref, field }, ({ spec }) => spec.allowedNamespaces.from)
      const entry = attached.get(keyOf(broker))
      if (entry === undefined) throw new RefError(field, `Broker ${keyOf(broker)} does not exist`)
      return entry
    },
    topicOf: (from: Resource, ref: Named, field: string): Topic =>
      follow(topics, { kind: 'Topic', from, ref, field }, ({ spec }) => spec.allowedSubscribers.from),
    queueOf: (from: Resource, ref: Named, field: string): Queue => follow(queues, { kind: 'Queue', from, ref, field }),
    policyOf(from: Queue | Subscription): WithPolicy {
      const [ref, field] = [from.spec.deadLetterPolicyRef, 'spec.deadLetterPolicyRef']
      if (ref === undefined) return { policy: undefined }
      const key = keyFrom(from.metadata.namespace, ref.name)
      const policy = policies.get(key)
      if (policy !== undefined) return { policy }
      const message = `DeadLetterPolicy ${key} does not exist: the dead-letter queue stays as it is until it does`
      return { policy, unknownPolicy: { resource: from, field, message } }
    },
  }
}

type Targets = ReturnType<typeof targetsOf>

type Reference = {
  readonly kind: keyof typeof consent
  readonly from: Resource
  readonly ref: Named
  readonly field: string
}

/** By which field the owner of a resource permits references from other namespaces. */
const consent = {
  Broker: 'spec.allowedNamespaces.from: All',
  Topic: 'spec.allowedSubscribers.from: All',
  Queue: 'nothing: a queue is for its own namespace',
} as const

const follow = <R extends Resource>(
  found: ReadonlyMap<string, R>,
  { kind, from, ref, field }: Reference,
  allows: (target: R) => 'Same' | 'All' = () => 'Same',
): R => {
  const namespace = ref.namespace ?? from.metadata.namespace
  const key = keyFrom(namespace, ref.name)
  const target = found.get(key)
  if (target && (namespace === from.metadata.namespace || allows(target) === 'All')) return target
  // Of another namespace nobody learns whether there is such a resource.
  const why =
    namespace === from.metadata.namespace
      ? 'does not exist: create it, or correct the name'
      : `does not exist or does not permit this reference: its owner permits it by ${consent[kind]}`
  throw new RefError(field, `${kind} ${key} ${why}`)
}

const resolveQueue = (queue: Queue, entry: Mutable, { topicOf, brokerOf, policyOf }: Targets): AttachedQueue => {
  const topics = (queue.spec.bindings ?? []).map(({ topicRef }, index) => {
    const field = `spec.bindings[${index}].topicRef`
    const topic = topicOf(queue, topicRef, field)
    if (brokerOf(topic, topic.spec.brokerRef, field) === entry) return topic
    throw new RefError(field, `Topic ${keyOf(topic)} is on another Broker than this queue`)
  })
  return { queue, topics, ...policyOf(queue) }
}

const resolveSubscription = (
  subscription: Subscription,
  { topicOf, queueOf, brokerOf, policyOf, defaults }: Targets,
): { readonly entry: Mutable; readonly attached: AttachedSubscription } | undefined => {
  const named = policyOf(subscription)
  const isNamed = subscription.spec.deadLetterPolicyRef !== undefined
  const policy = isNamed ? named : { policy: defaults.get(subscription.metadata.namespace) }
  const { topicRef, queueRef } = subscription.spec
  if (topicRef) {
    const topic = topicOf(subscription, topicRef, 'spec.topicRef')
    const entry = brokerOf(topic, topic.spec.brokerRef, 'spec.topicRef')
    return { entry, attached: { subscription, source: { topic }, ...policy } }
  }
  if (queueRef) {
    const queue = queueOf(subscription, queueRef, 'spec.queueRef')
    const entry = brokerOf(queue, queue.spec.brokerRef, 'spec.queueRef')
    return { entry, attached: { subscription, source: { queue }, ...policy } }
  }
  return undefined
}

const byKey = <R extends Resource>(list: readonly R[]): ReadonlyMap<string, R> =>
  new Map(list.map((resource) => [keyOf(resource), resource]))

const oldestFirst = <R extends Resource>(list: readonly R[]): readonly R[] =>
  list.toSorted(
    (a, b) => compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) || compare(keyOf(a), keyOf(b)),
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
