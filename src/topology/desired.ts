import type { Subscription } from '../api/kinds/subscription.ts'
import { isDeleting, type Resource } from '../api/resource.ts'
import type { Dialect } from './dialect.ts'
import { exchangeOf, ownerArgument, ownerOf, queueOf } from './names.ts'
import { type Objects, queueObjects, sharedObjects, subscriptionObjects, topicObjects } from './objects.ts'
import { holdersFirst, noOwners, type Owners } from './owners.ts'
import type { Attached, AttachedSubscription } from './references.ts'
import { queueRefusal, type Refusal, type Settled, subscriptionRefusal, taken } from './refusals.ts'
import type { Retention } from './retention.ts'
import type { Arguments, Binding, Exchange, Policy, Queue } from './topology.ts'

/** An object that a resource wants. */
export type Owned<T> = {
  readonly owner: string
  readonly want: T
  /** Use what is there although it has no owner. */
  readonly adopt: boolean
}

/** What becomes of the objects of a resource: wanted as listed, or going by its deletion policy. */
export type Presence = 'present' | 'Retain' | 'RetainIfNotEmpty' | 'Delete'

/** What a virtual host should hold. Objects of an owner that is not among `owners` are left as they are. */
export type Desired = {
  readonly instance: string
  /** The owner of what all share. */
  readonly broker: string
  readonly exchanges: readonly Owned<Exchange>[]
  readonly queues: readonly Owned<Queue>[]
  readonly bindings: readonly Owned<Binding>[]
  readonly policies: readonly Owned<Policy>[]
  /** They become policies only where the queue is its resource's own. */
  readonly retentions: readonly (Retention & { readonly owner: string })[]
  readonly owners: ReadonlyMap<string, Presence>
  readonly refusals: readonly Refusal[]
}

/** One resource to be placed, and what it would have. */
type Candidate = {
  readonly resource: Resource
  readonly adopt: boolean
  /** What becomes of its objects when it is being deleted. */
  readonly deletion: Exclude<Presence, 'present'>
  refusal?(settled: Settled): Refusal | undefined
  objects(owner: string): Objects
}

/**
 * The topology that the resources of one broker ask for. Where two want one name, it goes to the one that owns it
 * `onBroker`, else to the older.
 */
export const desired = (
  attached: Attached,
  instance: string,
  dialect: Dialect,
  onBroker: Owners = noOwners,
): Desired => {
  const draft = newDraft(instance, ownerOf(instance, attached.broker))
  const deliveredBy = new Map<string, Resource>()
  const settled: Settled = {
    isPresent: (resource) => draft.owners.get(ownerOf(instance, resource)) === 'present',
    deliveredBy,
  }
  const placeAll = (candidates: readonly Candidate[]): void => {
    for (const candidate of candidates) place(draft, candidate, settled)
  }
  placeAll([brokerCandidate(attached, dialect)])
  placeAll(topicCandidates(attached, instance, onBroker))
  placeAll(queueCandidates(attached, instance, dialect, onBroker))
  for (const { subscription, source } of attached.subscriptions) {
    if (!('queue' in source) || isDeleting(subscription) || !settled.isPresent(source.queue)) continue
    const name = queueOf(source.queue)
    if (!deliveredBy.has(name)) deliveredBy.set(name, subscription)
  }
  placeAll(attached.subscriptions.map((entry) => subscriptionCandidate(entry, dialect)))
  const { takenBy: _, ...wanted } = draft
  return wanted
}

/** The shared objects stay while one of them holds messages, whatever is asked for. */
const brokerCandidate = ({ broker }: Attached, dialect: Dialect): Candidate => ({
  resource: broker,
  adopt: false,
  deletion: broker.spec.deletionPolicy === 'Delete' ? 'RetainIfNotEmpty' : 'Retain',
  objects: () => sharedObjects(dialect),
})

const topicCandidates = ({ topics }: Attached, instance: string, onBroker: Owners): readonly Candidate[] =>
  holdersFirst(topics, onBroker, (topic) => ({
    object: `exchange ${exchangeOf(topic)}`,
    owner: ownerOf(instance, topic),
  })).map((topic) => ({
    resource: topic,
    adopt: topic.spec.adopt,
    deletion: topic.spec.adopt ? 'Retain' : topic.spec.deletionPolicy,
    objects: (owner) => topicObjects(topic, owner),
  }))

const queueCandidates = (
  { queues, subscriptions }: Attached,
  instance: string,
  dialect: Dialect,
  onBroker: Owners,
): readonly Candidate[] => {
  const pushers = pushersOf(subscriptions)
  return holdersFirst(queues, onBroker, ({ queue }) => ({
    object: `queue ${queueOf(queue)}`,
    owner: ownerOf(instance, queue),
  })).map((entry) => ({
    resource: entry.queue,
    adopt: entry.queue.spec.adopt,
    deletion: entry.queue.spec.adopt ? 'Retain' : entry.queue.spec.deletionPolicy,
    refusal: (settled) => queueRefusal(entry, settled),
    objects: (owner) => queueObjects(entry, owner, dialect, pushers.get(queueOf(entry.queue))),
  }))
}

/** By name of the queue, the Subscription that pushes from it: the first, for another one is refused. */
const pushersOf = (subscriptions: readonly AttachedSubscription[]): ReadonlyMap<string, Subscription> => {
  const pushers = new Map<string, Subscription>()
  for (const { subscription, source } of subscriptions) {
    if ('topic' in source || isDeleting(subscription)) continue
    const name = queueOf(source.queue)
    if (!pushers.has(name)) pushers.set(name, subscription)
  }
  return pushers
}

const subscriptionCandidate = (entry: AttachedSubscription, dialect: Dialect): Candidate => ({
  resource: entry.subscription,
  adopt: false,
  deletion: entry.subscription.spec.deletionPolicy,
  refusal: (settled) => subscriptionRefusal(entry, settled),
  objects: () => subscriptionObjects(entry, dialect),
})

const newDraft = (instance: string, broker: string) => ({
  instance,
  broker,
  exchanges: [] as Owned<Exchange>[],
  queues: [] as Owned<Queue>[],
  bindings: [] as Owned<Binding>[],
  policies: [] as Owned<Policy>[],
  retentions: [] as (Retention & { owner: string })[],
  owners: new Map<string, Presence>(),
  refusals: [] as Refusal[],
  /** Which resource declares an object, `exchange shop.orders`. */
  takenBy: new Map<string, Resource>(),
})

/** Adds what the candidate wants to the draft: its objects, its deletion policy, or why it is refused. */
const place = (draft: ReturnType<typeof newDraft>, candidate: Candidate, settled: Settled): void => {
  const { resource, adopt, deletion } = candidate
  const owner = ownerOf(draft.instance, resource)
  if (isDeleting(resource)) {
    draft.owners.set(owner, deletion)
    return
  }
  const unfit = candidate.refusal?.(settled)
  const objects = unfit ? {} : candidate.objects(owner)
  const names = namesOf(objects)
  const refusal = unfit ?? firstTaken(resource, names, draft.takenBy)
  if (refusal) {
    draft.refusals.push(refusal)
    return
  }
  for (const name of names) draft.takenBy.set(name, resource)
  draft.owners.set(owner, 'present')
  const owned = <T extends { readonly arguments: Arguments }>(want: T): Owned<T> => ({
    owner,
    adopt,
    want: { ...want, arguments: { ...want.arguments, [ownerArgument]: owner } },
  })
  draft.exchanges.push(...(objects.exchanges ?? []).map(owned))
  draft.queues.push(...(objects.queues ?? []).map(owned))
  draft.bindings.push(...(objects.bindings ?? []).map(owned))
  draft.policies.push(...(objects.policies ?? []).map((want) => ({ owner, adopt: true, want })))
  draft.retentions.push(...(objects.retentions ?? []).map((retention) => ({ owner, ...retention })))
}

const namesOf = ({ exchanges = [], queues = [] }: Objects): readonly string[] => [
  ...exchanges.map(({ name }) => `exchange ${name}`),
  ...queues.map(({ name }) => `queue ${name}`),
]

const firstTaken = (
  resource: Resource,
  names: readonly string[],
  takenBy: ReadonlyMap<string, Resource>,
): Refusal | undefined => {
  for (const name of names) {
    const holder = takenBy.get(name)
    if (holder) return taken(resource, name, holder)
  }
  return undefined
}
