import type { Subscription } from '../api/kinds/subscription.ts'
import { idOf, isDeleting, type Resource } from '../api/resource.ts'
import type { Dialect } from './dialect.ts'
import { type Names, namesOn } from './name-rules.ts'
import { isReserved, ownerArgument, ownerOf, queueOf } from './names.ts'
import { type Objects, queueObjects, sharedObjects, subscriptionObjects, topicObjects } from './objects.ts'
import { noOwners, type Owners } from './owners.ts'
import { type Attached, type AttachedSubscription, membersOf } from './references.ts'
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
  /** Queues that a resource reads although another one declares them, as `queue shop.work`. */
  readonly needs: readonly { readonly owner: string; readonly object: string }[]
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
  /** An object of another resource without which it can do nothing. */
  readonly needs?: string
  refusal?(settled: Settled): Refusal | undefined
  objects(owner: string): Objects
}

/**
 * The topology that the resources of one broker ask for. Where two want one name, what is `onBroker` decides before the
 * resources are compared with each other (`byClaim`), and age comes last.
 */
export const desired = (
  attached: Attached,
  instance: string,
  dialect: Dialect,
  onBroker: Owners = noOwners,
): Desired => {
  const draft = newDraft(instance, attached, onBroker)
  const names = namesOn(attached, instance, onBroker)
  const deliveredBy = new Map<string, Resource>()
  const settled: Settled = {
    isPresent: (resource) => draft.owners.get(ownerOf(instance, resource)) === 'present',
    deliveredBy,
  }
  const placeAll = (candidates: readonly Candidate[]): void => {
    for (const candidate of candidates) place(draft, candidate, settled)
  }
  placeAll([brokerCandidate(attached, dialect)])
  placeAll(topicCandidates(attached, names))
  placeAll(queueCandidates(attached, dialect, names))
  for (const { subscription, source } of attached.subscriptions) {
    if (!('queue' in source) || isDeleting(subscription) || !settled.isPresent(source.queue)) continue
    const name = queueOf(source.queue)
    if (!deliveredBy.has(name)) deliveredBy.set(name, subscription)
  }
  placeAll(attached.subscriptions.map((entry) => subscriptionCandidate(entry, dialect)))
  const { holders: _, ...wanted } = draft
  return wanted
}

/** The shared objects stay while one of them holds messages, whatever is asked for. */
const brokerCandidate = ({ broker }: Attached, dialect: Dialect): Candidate => ({
  resource: broker,
  adopt: false,
  deletion: broker.spec.deletionPolicy === 'Delete' ? 'RetainIfNotEmpty' : 'Retain',
  objects: () => sharedObjects(dialect),
})

const topicCandidates = ({ topics }: Attached, names: Names): readonly Candidate[] =>
  names
    .byClaim(topics, (topic) => topic)
    .map((topic) => ({
      resource: topic,
      adopt: topic.spec.adopt,
      deletion: topic.spec.adopt ? 'Retain' : topic.spec.deletionPolicy,
      refusal: () => names.refusal(topic),
      objects: (owner) => topicObjects(topic, owner),
    }))

const queueCandidates = ({ queues, subscriptions }: Attached, dialect: Dialect, names: Names): readonly Candidate[] => {
  const pushers = pushersOf(subscriptions)
  return names
    .byClaim(queues, ({ queue }) => queue)
    .map((entry) => ({
      resource: entry.queue,
      adopt: entry.queue.spec.adopt,
      deletion: entry.queue.spec.adopt ? 'Retain' : entry.queue.spec.deletionPolicy,
      refusal: (settled) => names.refusal(entry.queue) ?? queueRefusal(entry, settled),
      objects: (owner) => queueObjects(entry, owner, dialect, pushers.get(idOf(entry.queue))),
    }))
}

/**
 * By id of the Queue, the Subscription that pushes from it: the first, for another one is refused. Not by its name on the broker,
 * which anybody's Queue may ask for.
 */
const pushersOf = (subscriptions: readonly AttachedSubscription[]): ReadonlyMap<string, Subscription> => {
  const pushers = new Map<string, Subscription>()
  for (const { subscription, source } of subscriptions) {
    if ('topic' in source || isDeleting(subscription)) continue
    const id = idOf(source.queue)
    if (!pushers.has(id)) pushers.set(id, subscription)
  }
  return pushers
}

const subscriptionCandidate = (entry: AttachedSubscription, dialect: Dialect): Candidate => ({
  resource: entry.subscription,
  adopt: false,
  deletion: entry.subscription.spec.deletionPolicy,
  ...('queue' in entry.source ? { needs: `queue ${queueOf(entry.source.queue)}` } : {}),
  refusal: (settled) => subscriptionRefusal(entry, settled),
  objects: () => subscriptionObjects(entry, dialect),
})

const newDraft = (instance: string, attached: Attached, onBroker: Owners) => ({
  instance,
  broker: ownerOf(instance, attached.broker),
  exchanges: [] as Owned<Exchange>[],
  queues: [] as Owned<Queue>[],
  bindings: [] as Owned<Binding>[],
  policies: [] as Owned<Policy>[],
  needs: [] as { owner: string; object: string }[],
  retentions: [] as (Retention & { owner: string })[],
  owners: new Map<string, Presence>(),
  refusals: [] as Refusal[],
  /** Which resource has an object, `exchange shop.orders`: it declares it, or owns it on the broker. */
  holders: heldOn(onBroker, attached, instance),
})

/** What the broker shares with all is declared as far as it can be, so it is never refused for what another one holds. */
const heldOn = (onBroker: Owners, attached: Attached, instance: string): Map<string, Resource> => {
  const living = new Map(
    membersOf(attached)
      .filter((resource) => !isDeleting(resource))
      .map((resource) => [ownerOf(instance, resource), resource]),
  )
  return new Map(
    [...onBroker].flatMap(([object, owner]) => {
      const holder = owner === undefined ? undefined : living.get(owner)
      return holder ? [[object, holder] as const] : []
    }),
  )
}

/** Adds what the candidate wants to the draft: its objects, its deletion policy, or why it is refused. */
const place = (draft: ReturnType<typeof newDraft>, candidate: Candidate, settled: Settled): void => {
  const { resource, deletion, needs } = candidate
  const owner = ownerOf(draft.instance, resource)
  if (isDeleting(resource)) {
    draft.owners.set(owner, deletion)
    return
  }
  const unfit = candidate.refusal?.(settled)
  const objects = unfit ? {} : candidate.objects(owner)
  const names = namesOf(objects)
  const refusal = unfit ?? (owner === draft.broker ? undefined : firstTaken(resource, names, draft.holders))
  if (refusal) {
    draft.refusals.push(refusal)
    return
  }
  for (const name of names) draft.holders.set(name, resource)
  draft.owners.set(owner, 'present')
  const owned = <T extends { readonly name: string; readonly arguments: Arguments }>(want: T): Owned<T> => ({
    owner,
    // What is called as Waybill's own is declared by Waybill, or it is somebody's trap.
    adopt: candidate.adopt && !isReserved(want.name),
    want: { ...want, arguments: { ...want.arguments, [ownerArgument]: owner } },
  })
  const bound = (want: Binding): Owned<Binding> => ({
    owner,
    adopt: candidate.adopt,
    want: { ...want, arguments: { ...want.arguments, [ownerArgument]: owner } },
  })
  draft.exchanges.push(...(objects.exchanges ?? []).map(owned))
  draft.queues.push(...(objects.queues ?? []).map(owned))
  draft.bindings.push(...(objects.bindings ?? []).map(bound))
  draft.policies.push(...(objects.policies ?? []).map((want) => ({ owner, adopt: true, want })))
  draft.retentions.push(...(objects.retentions ?? []).map((retention) => ({ owner, ...retention })))
  if (needs !== undefined) draft.needs.push({ owner, object: needs })
}

const namesOf = ({ exchanges = [], queues = [] }: Objects): readonly string[] => [
  ...exchanges.map(({ name }) => `exchange ${name}`),
  ...queues.map(({ name }) => `queue ${name}`),
]

const firstTaken = (
  resource: Resource,
  names: readonly string[],
  holders: ReadonlyMap<string, Resource>,
): Refusal | undefined => {
  for (const name of names) {
    const holder = holders.get(name)
    if (holder && holder !== resource) return taken(resource, name, holder)
  }
  return undefined
}
