import type { Job } from '../../api/job.ts'
import { type Broker, broker as brokerKind, manages } from '../../api/kinds/broker.ts'
import type { DeadLetterPolicy } from '../../api/kinds/dead-letter-policy.ts'
import { queue as queueKind } from '../../api/kinds/queue.ts'
import { toOf } from '../../api/kinds/replay.ts'
import { subscription as subscriptionKind } from '../../api/kinds/subscription.ts'
import { topic as topicKind } from '../../api/kinds/topic.ts'
import { idFrom, idOf, isDeleting, keyOf, type Resource } from '../../api/resource.ts'
import type { Kept } from '../../delivery/letters/letter.ts'
import type { Store } from '../../store/store.ts'
import { deadLetterQueueOfQueue, exchangeOf, orphanQueue, queueOf, unroutedOf } from '../../topology/names.ts'
import type { Route } from '../pipeline/route.ts'
import { attachedFor } from '../workers/attached-for.ts'
import { isDeclared } from '../workers/routes.ts'
import { routeFor } from './route-for.ts'

/** Where messages are put: a queue through the default exchange, or an exchange with the routing key that each one has. */
export type Destination = { readonly queue: string } | { readonly exchange: string }

/** Where a job takes messages from. */
export type Source = {
  readonly broker: Broker
  readonly queue: string
  readonly kept: Kept
  /** The resource that they are of, as part of their ids: a Subscription is `namespace/name`, any other one its id. */
  readonly of: string
  /** Where they go back to; orphans have no such place. */
  readonly home: Destination | undefined
  /** Of a Subscription. */
  readonly route?: Route
  /** Of dead letters. */
  readonly policy?: DeadLetterPolicy | undefined
}

/** Why nothing can be done now. */
export type NotReady = {
  readonly reason: 'SubscriptionNotDelivering' | 'NotDeclared'
  readonly message: string
  /** There is nowhere to put the messages any more. */
  readonly isTargetGone?: true
}

/** Where a job takes from, and where it puts that. */
export type Places = { readonly source: Source; readonly destination: Destination | undefined }

type Stored = Pick<Store, 'get' | 'list'>

/** Where a job takes messages from, or why nothing is to be done with them now. */
const sourceFor = (job: Job, store: Stored): Source | NotReady => {
  const { subscriptionRef, queueRef, topicRef, orphans } = job.spec
  if (subscriptionRef) return fromSubscription(job, subscriptionRef.name, store)
  if (queueRef) return fromQueue(job, queueRef.name, store)
  if (topicRef) return fromTopic(job, topicRef.name, store)
  return fromOrphans(job, orphans?.brokerRef.name ?? '', store)
}

const fromSubscription = (job: Job, name: string, store: Stored): Source | NotReady => {
  const found = routeFor(job.metadata.namespace, name, store)
  if ('message' in found) return { reason: 'SubscriptionNotDelivering', message: found.message }
  const { broker, route, policy } = found
  // A queue that somebody else shapes may refuse it, or drop it after a while.
  const home = { queue: route.retryQueue }
  return { broker, route, policy, home, queue: route.deadLetterQueue, kept: 'dead', of: keyOf(route.subscription) }
}

const fromQueue = ({ metadata: { namespace } }: Job, name: string, store: Stored): Source | NotReady => {
  const queue = store.get(queueKind, namespace, name)
  if (queue === undefined) return missing(idFrom('Queue', namespace, name))
  const found = attachedFor(queue, store)
  if (!isUsable(queue) || found === undefined) return undeclared(queue)
  if (queue.status?.deadLetterQueue === undefined)
    return notDeclared(`${idOf(queue)} has no dead-letter queue: it has no deadLetterPolicyRef`)
  const home = { queue: queueOf(queue) }
  const { broker, policy } = found
  return { broker, policy, home, queue: deadLetterQueueOfQueue(queue), kept: 'dead', of: idOf(queue) }
}

const fromTopic = ({ metadata: { namespace } }: Job, name: string, store: Stored): Source | NotReady => {
  const topic = store.get(topicKind, namespace, name)
  if (topic === undefined) return missing(idFrom('Topic', namespace, name))
  const broker = attachedFor(topic, store)?.broker
  if (!isUsable(topic) || broker === undefined) return undeclared(topic)
  if (topic.spec.unrouted !== 'Park') return notDeclared(`${idOf(topic)} parks nothing: its spec.unrouted is Drop`)
  return { broker, home: { exchange: exchangeOf(topic) }, queue: unroutedOf(topic), kept: 'parked', of: idOf(topic) }
}

/** The orphans of a Broker are those of all who use it: they are for the namespace that has the Broker. */
const fromOrphans = ({ metadata: { namespace } }: Job, name: string, store: Stored): Source | NotReady => {
  const broker = store.get(brokerKind, namespace, name)
  if (broker === undefined) return missing(idFrom('Broker', namespace, name))
  if (!isUsable(broker) || !manages(broker)) return undeclared(broker)
  return { broker, home: undefined, queue: orphanQueue, kept: 'orphaned', of: idOf(broker) }
}

const isUsable = (resource: Resource & Parameters<typeof isDeclared>[0]): boolean =>
  !isDeleting(resource) && isDeclared(resource)

const notDeclared = (message: string): NotReady => ({ reason: 'NotDeclared', message })
const missing = (id: string): NotReady => notDeclared(`${id} does not exist`)
const undeclared = (resource: Resource & { readonly kind: string }): NotReady =>
  notDeclared(`${idOf(resource)} is not, or no longer, declared on a broker: see its conditions`)

/** Where a job puts what it takes, or why that is not possible; `undefined` where it puts nothing anywhere. */
const destinationFor = (
  job: Job,
  source: Source,
  store: Pick<Store, 'get' | 'list'>,
): Destination | NotReady | undefined => {
  if (job.kind === 'Discard') return undefined
  const to = toOf(job.spec)
  if (to !== 'Queue' && to !== 'Topic') return undefined
  if (job.spec.target === undefined) return source.home ?? notDeclared('Orphans need a target')
  const found = targetOf(job, source, store)
  return 'message' in found ? { ...found, isTargetGone: true } : found
}

/** Only what the namespace of the job has, on the broker that has the messages: nobody gets what they could not get otherwise. */
const targetOf = (
  { spec, metadata: { namespace } }: Job & { readonly kind: 'Replay' },
  { broker }: Source,
  store: Pick<Store, 'get' | 'list'>,
): Destination | NotReady => {
  const { subscriptionRef, queueRef } = spec.target ?? {}
  const elsewhere = (id: string) =>
    notDeclared(`${id} is on another Broker than ${idOf(broker)}, which has the messages`)
  const isHere = (resource: Parameters<typeof attachedFor>[0]): boolean => {
    const found = attachedFor(resource, store)
    return found !== undefined && keyOf(found.broker) === keyOf(broker)
  }
  if (queueRef) {
    const queue = store.get(queueKind, namespace, queueRef.name)
    if (queue === undefined) return missing(idFrom('Queue', namespace, queueRef.name))
    if (!isUsable(queue)) return undeclared(queue)
    return isHere(queue) ? { queue: queueOf(queue) } : elsewhere(idOf(queue))
  }
  const name = subscriptionRef?.name ?? ''
  const subscription = store.get(subscriptionKind, namespace, name)
  if (subscription === undefined) return missing(idFrom('Subscription', namespace, name))
  const { retryQueue } = subscription.status ?? {}
  if (!isUsable(subscription) || retryQueue === undefined) return undeclared(subscription)
  return isHere(subscription) ? { queue: retryQueue } : elsewhere(idOf(subscription))
}

/** Where a job takes from and where it puts that, or why nothing can be done now. */
export const placesFor = (job: Job, store: Stored): Places | NotReady => {
  const source = sourceFor(job, store)
  if ('message' in source) return source
  const destination = destinationFor(job, source, store)
  return destination && 'message' in destination ? destination : { source, destination }
}
