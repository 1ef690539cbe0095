import type { Topic } from '../api/kinds/topic.ts'
import { idOf, isDeleting, type Resource } from '../api/resource.ts'
import { ladder } from './delay-ladder.ts'
import { exchangeOf, nameField, ownerArgument, ownerOf, queueOf } from './names.ts'
import {
  type Dialect,
  type Objects,
  queueObjects,
  sharedObjects,
  subscriptionObjects,
  topicObjects,
} from './objects.ts'
import { holdersFirst, noOwners, type Owners } from './owners.ts'
import type { Attached, AttachedQueue } from './references.ts'
import type { Retention } from './retention.ts'
import type { Arguments, Binding, Exchange, Policy, Queue } from './topology.ts'

/** An object that a resource wants. */
export type Owned<T> = {
  readonly owner: string
  readonly want: T
  /** Take what is there although nobody claimed it. */
  readonly adopt: boolean
}

/** What becomes of the objects of a resource: wanted as listed, or going by its deletion policy. */
export type Presence = 'present' | 'Retain' | 'RetainIfNotEmpty' | 'Delete'

/** A resource that cannot be programmed, and why. */
export type Refusal = {
  readonly resource: Resource
  readonly reason: 'Invalid' | 'Conflicted'
  readonly field: string
  readonly message: string
}

/** What a virtual host should hold. Objects of a owner that is not among `owners` are left as they are. */
export type Desired = {
  readonly instance: string
  /** The owner on what all share. */
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

/**
 * The topology that the resources of one broker ask for. Where two want one name, it is for the one that has it by the
 * `onBroker`, else for the older.
 */
export const desired = (
  attached: Attached,
  instance: string,
  dialect: Dialect,
  onBroker: Owners = noOwners,
): Desired => {
  const exchanges: Owned<Exchange>[] = []
  const queues: Owned<Queue>[] = []
  const bindings: Owned<Binding>[] = []
  const policies: Owned<Policy>[] = []
  const retentions: (Retention & { owner: string })[] = []
  const owners = new Map<string, Presence>()
  const refusals: Refusal[] = []
  const takenBy = new Map<string, Resource>()

  const add = (resource: Resource, owner: string, objects: Objects, adopt = false) => {
    const refusal = taken(resource, objects, takenBy)
    if (refusal) {
      refusals.push(refusal)
      return
    }
    for (const name of namesOf(objects)) takenBy.set(name, resource)
    owners.set(owner, 'present')
    const claimed = <T extends { readonly arguments: Arguments }>(want: T): Owned<T> => ({
      owner,
      adopt,
      want: { ...want, arguments: { ...want.arguments, [ownerArgument]: owner } },
    })
    exchanges.push(...(objects.exchanges ?? []).map(claimed))
    queues.push(...(objects.queues ?? []).map(claimed))
    bindings.push(...(objects.bindings ?? []).map(claimed))
    policies.push(...(objects.policies ?? []).map((want) => ({ owner, adopt: true, want })))
    retentions.push(...(objects.retentions ?? []).map((retention) => ({ owner, ...retention })))
  }

  /** What a refused or vanishing resource names may be another's, who was never asked for consent. */
  const absent = (resource: Resource, sources: readonly Resource[], field: (index: number) => string) => {
    const index = sources.findIndex((source) => owners.get(ownerOf(instance, idOf(source))) !== 'present')
    const source = sources[index]
    return source && refuse(resource, field(index), `${idOf(source)} is not accepted or being deleted: see its status`)
  }

  const { broker } = attached
  const brokerOwner = ownerOf(instance, idOf(broker))
  if (isDeleting(broker)) {
    owners.set(brokerOwner, broker.spec.deletionPolicy === 'Delete' ? 'RetainIfNotEmpty' : 'Retain')
  } else {
    const living = attached.subscriptions.map(({ subscription }) => subscription)
    add(broker, brokerOwner, sharedObjects(ladder(living), dialect))
  }
  const topics = holdersFirst(attached.topics, onBroker, (topic) => ({
    object: `exchange ${exchangeOf(topic)}`,
    owner: ownerOf(instance, idOf(topic)),
  }))
  for (const topic of topics) {
    const owner = ownerOf(instance, idOf(topic))
    if (isDeleting(topic)) owners.set(owner, topic.spec.adopt ? 'Retain' : topic.spec.deletionPolicy)
    else add(topic, owner, topicObjects(topic, owner), topic.spec.adopt)
  }
  const queueEntries = holdersFirst(attached.queues, onBroker, ({ queue }) => ({
    object: `queue ${queueOf(queue)}`,
    owner: ownerOf(instance, idOf(queue)),
  }))
  for (const entry of queueEntries) {
    const owner = ownerOf(instance, idOf(entry.queue))
    const { adopt, deletionPolicy } = entry.queue.spec
    const refusal =
      absent(entry.queue, entry.topics, (index) => `spec.bindings[${index}].topicRef`) ?? unroutable(entry)
    if (isDeleting(entry.queue)) owners.set(owner, adopt ? 'Retain' : deletionPolicy)
    else if (refusal) refusals.push(refusal)
    else add(entry.queue, owner, queueObjects(entry, owner, dialect), adopt)
  }
  const consumed = new Map<string, Resource>()
  for (const entry of attached.subscriptions) {
    const { subscription, source } = entry
    const owner = ownerOf(instance, idOf(subscription))
    const refusal =
      ('topic' in source
        ? absent(subscription, [source.topic], () => 'spec.topicRef')
        : absent(subscription, [source.queue], () => 'spec.queueRef')) ?? unfit(entry, consumed)
    if (isDeleting(subscription)) owners.set(owner, subscription.spec.deletionPolicy)
    else if (refusal) refusals.push(refusal)
    else add(subscription, owner, subscriptionObjects(entry, dialect))
  }
  return { instance, broker: brokerOwner, exchanges, queues, bindings, policies, retentions, owners, refusals }
}

const namesOf = ({ exchanges = [], queues = [] }: Objects): string[] => [
  ...exchanges.map(({ name }) => `exchange ${name}`),
  ...queues.map(({ name }) => `queue ${name}`),
]

const refuse = (resource: Resource, field: string, message: string): Refusal => ({
  resource,
  reason: 'Invalid',
  field,
  message,
})

const taken = (resource: Resource, objects: Objects, takenBy: Map<string, Resource>): Refusal | undefined => {
  for (const name of namesOf(objects)) {
    const holder = takenBy.get(name)
    if (holder === undefined) continue
    const message = `${name} is already declared by ${idOf(holder)}: choose another name, or remove one of the two`
    return { resource, reason: 'Conflicted', field: nameField(resource), message }
  }
  return undefined
}

/** What neither the schema nor a rule of one resource alone can say. */
const unfit = (
  { subscription, source }: Attached['subscriptions'][number],
  consumed: Map<string, Resource>,
): Refusal | undefined => {
  const invalid = (field: string, message: string): Refusal => refuse(subscription, field, message)
  const { routingKeys, headers } = subscription.spec.filter
  if ('queue' in source) {
    const name = queueOf(source.queue)
    const other = consumed.get(name)
    if (other) {
      const message = `queue ${name} is already delivered by ${idOf(other)}: two would share its messages at random`
      return { ...invalid('spec.queueRef', message), reason: 'Conflicted' }
    }
    if (!isDeleting(subscription)) consumed.set(name, subscription)
    const { maxLength, overflow } = source.queue.spec
    if (maxLength !== undefined && overflow === 'RejectPublish') {
      const message = `${idOf(source.queue)} refuses messages while it is full (maxLength, overflow: RejectPublish), and a retry refused would hold up the delayed messages of all subscriptions: choose overflow: DropHead there, or no maxLength`
      return invalid('spec.queueRef', message)
    }
    return undefined
  }
  if (ignoresKeys(source.topic, routingKeys)) {
    return invalid('spec.filter.routingKeys', `${typeText(source.topic)}, which ignores routing keys`)
  }
  if (source.topic.spec.exchange.type !== 'Headers' && headers) {
    const message = `${typeText(source.topic)}: filtering by headers needs a Topic with exchange.type Headers`
    return invalid('spec.filter.headers', message)
  }
  return undefined
}

const unroutable = ({ queue, topics }: AttachedQueue): Refusal | undefined => {
  const { bindings = [] } = queue.spec
  const index = topics.findIndex((topic, at) => ignoresKeys(topic, bindings[at]?.routingKeys ?? []))
  const topic = topics[index]
  return (
    topic &&
    refuse(
      queue,
      `spec.bindings[${index}].routingKeys`,
      `${typeText(topic)}, which ignores routing keys: leave them out`,
    )
  )
}

const typeText = (topic: Topic): string => `exchange ${exchangeOf(topic)} has type ${topic.spec.exchange.type}`
const ignoresKeys = ({ spec }: Topic, keys: readonly string[]): boolean =>
  spec.exchange.type !== 'Topic' && !matchesAll(keys)

const matchesAll = (keys: readonly string[]): boolean => keys.length === 1 && keys[0] === '#'
