import type { Topic } from '../api/kinds/topic.ts'
import { idOf, type Resource } from '../api/resource.ts'
import { exchangeOf, mayChoose, nameField, queueOf } from './names.ts'
import type { AttachedQueue, AttachedSubscription } from './references.ts'

/** A resource that cannot be programmed, and why. */
export type Refusal = {
  readonly resource: Resource
  readonly reason: 'Invalid' | 'NotPermitted' | 'Conflicted'
  readonly field: string
  readonly message: string
}

/** What is settled about the resources before this one. */
export type Settled = {
  /** Whether the objects of this resource are wanted: it is neither refused nor being deleted. */
  isPresent(resource: Resource): boolean
  /** Which subscription delivers from a queue of this name that is not its own. */
  readonly deliveredBy: ReadonlyMap<string, Resource>
}

/** A rule that neither the schema nor one resource alone can show. */
type Check<Entry> = (entry: Entry, settled: Settled) => Refusal | undefined

/** Why a Queue is refused; `undefined` where it is not. */
export const queueRefusal = (entry: AttachedQueue, settled: Settled): Refusal | undefined =>
  firstOf(queueChecks, entry, settled)

/** Why a Subscription is refused; `undefined` where it is not. */
export const subscriptionRefusal = (entry: AttachedSubscription, settled: Settled): Refusal | undefined =>
  firstOf(subscriptionChecks, entry, settled)

const firstOf = <Entry>(checks: readonly Check<Entry>[], entry: Entry, settled: Settled): Refusal | undefined => {
  for (const check of checks) {
    const refusal = check(entry, settled)
    if (refusal) return refusal
  }
  return undefined
}

/** The refusal of a resource that wants `object`, which `holder` has. */
export const taken = (resource: Resource, object: string, holder: Resource): Refusal => ({
  resource,
  reason: 'Conflicted',
  field: nameField(resource),
  message: `${object} is already declared by ${named(holder, resource)}: ${mayChoose(resource, object) ? 'choose another name, or remove one of the two' : 'remove one of the two'}`,
})

/** A resource as those of another namespace may see it: not at all. */
const named = (resource: Resource, to: Resource): string =>
  resource.metadata.namespace === to.metadata.namespace ? idOf(resource) : 'a resource of another namespace'

const invalid = (resource: Resource, field: string, message: string): Refusal => ({
  resource,
  reason: 'Invalid',
  field,
  message,
})

/** The name in a refused or vanishing resource may belong to another one, which was never asked for consent. */
const absent = (resource: Resource, field: string, source: Resource, { isPresent }: Settled): Refusal | undefined =>
  isPresent(source)
    ? undefined
    : invalid(resource, field, `${idOf(source)} is not accepted or being deleted: see its status`)

const absentBinding: Check<AttachedQueue> = ({ queue, topics }, settled) => {
  const index = topics.findIndex((topic) => !settled.isPresent(topic))
  const topic = topics[index]
  return topic && absent(queue, `spec.bindings[${index}].topicRef`, topic, settled)
}

const unroutableBinding: Check<AttachedQueue> = ({ queue, topics }) => {
  const { bindings = [] } = queue.spec
  const index = topics.findIndex((topic, at) => ignoresKeys(topic, bindings[at]?.routingKeys ?? []))
  const topic = topics[index]
  const field = `spec.bindings[${index}].routingKeys`
  return topic && invalid(queue, field, `${typeText(topic)}, which ignores routing keys: leave them out`)
}

const absentSource: Check<AttachedSubscription> = ({ subscription, source }, settled) =>
  'topic' in source
    ? absent(subscription, 'spec.topicRef', source.topic, settled)
    : absent(subscription, 'spec.queueRef', source.queue, settled)

const sharedQueue: Check<AttachedSubscription> = ({ subscription, source }, { deliveredBy }) => {
  if (!('queue' in source)) return undefined
  const name = queueOf(source.queue)
  const first = deliveredBy.get(name)
  if (first === undefined || first === subscription) return undefined
  const message = `queue ${name} is already delivered by ${named(first, subscription)}: two would share its messages at random`
  return { ...invalid(subscription, 'spec.queueRef', message), reason: 'Conflicted' }
}

const ignoredKeys: Check<AttachedSubscription> = ({ subscription, source }) =>
  'topic' in source && ignoresKeys(source.topic, subscription.spec.filter.routingKeys)
    ? invalid(subscription, 'spec.filter.routingKeys', `${typeText(source.topic)}, which ignores routing keys`)
    : undefined

const ignoredHeaders: Check<AttachedSubscription> = ({ subscription, source }) => {
  if (!('topic' in source) || source.topic.spec.exchange.type === 'Headers') return undefined
  if (subscription.spec.filter.headers === undefined) return undefined
  const message = `${typeText(source.topic)}: filtering by headers needs a Topic with exchange.type Headers`
  return invalid(subscription, 'spec.filter.headers', message)
}

const typeText = (topic: Topic): string => `exchange ${exchangeOf(topic)} has type ${topic.spec.exchange.type}`

const ignoresKeys = ({ spec }: Topic, keys: readonly string[]): boolean =>
  spec.exchange.type !== 'Topic' && !(keys.length === 1 && keys[0] === '#')

/** In order: the first that objects is the one that is reported. */
const queueChecks = [absentBinding, unroutableBinding] as const
const subscriptionChecks = [absentSource, sharedQueue, ignoredKeys, ignoredHeaders] as const
