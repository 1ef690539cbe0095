import { durationText } from '../api/duration.ts'
import type { Queue } from '../api/kinds/queue.ts'
import type { Subscription } from '../api/kinds/subscription.ts'
import type { Topic } from '../api/kinds/topic.ts'
import { idOf, type Resource } from '../api/resource.ts'

/**
 * Every name that Waybill uses on a broker. A rule in src/api/schema/fields.ts makes sure that they fit into the 255 bytes of AMQP.
 * Kubernetes namespaces hold no dot, so `<namespace>.<name>` is unique.
 */
export const dotted = ({ metadata }: Pick<Resource, 'metadata'>): string => `${metadata.namespace}.${metadata.name}`

/** The exchange of a Topic. */
export const exchangeOf = (topic: Topic): string => topic.spec.exchange.name ?? dotted(topic)
/** Exchange and queue for the events of a Topic that no subscription wants. */
export const unroutedOf = (topic: Topic): string => `waybill.unrouted.${dotted(topic)}`
/** The queue of a Queue. */
export const queueOf = (queue: Queue): string => queue.spec.name ?? dotted(queue)
/** A namespace cannot start with `Queue.`, so this is never the dead-letter queue of a subscription. */
export const deadLetterQueueOfQueue = (queue: Queue): string => `waybill.dlq.Queue.${dotted(queue)}`
/** The name that the author of a resource chose for its object. */
export const chosenNameOf = (resource: Topic | Queue): string | undefined =>
  'exchange' in resource.spec ? resource.spec.exchange.name : resource.spec.name
/** The name of the object that a resource declares for others to use. */
export const nameOf = (resource: Topic | Queue): string => chosenNameOf(resource) ?? dotted(resource)
/** Whether only Waybill itself, or the broker itself, may give an object this name: `amq.` is what AMQP 0-9-1 reserves. */
export const isReserved = (name: string): boolean => /^(waybill|amq)[.]/.test(name)

/** The queue that a Subscription to a Topic delivers from. */
export const subscriptionQueueOf = (subscription: Subscription): string => `waybill.sub.${dotted(subscription)}`
/** What the names of all queues for retries begin with. */
export const retryPrefix = 'waybill.retry.'
/**
 * Where the retries of a Subscription come back to. It is no queue that anybody else publishes to, so a limit on what a
 * Subscription or a Queue may hold never refuses what comes back from a delay, which would hold up the delays of all.
 */
export const retryQueueOf = (subscription: Subscription): string => `${retryPrefix}${dotted(subscription)}`
/** The dead-letter queue of a Subscription. */
export const deadLetterQueueOf = (subscription: Subscription): string => `waybill.dlq.${dotted(subscription)}`

/** What the names of all levels of the delay ladder begin with. */
export const delayPrefix = 'waybill.delay.'
/** Exchange and queue of one level of the delay ladder. */
export const delayLevel = (delayMs: number): string => `${delayPrefix}${durationText(delayMs)}`
/** The exchange to which delayed messages return; their routing key is the name of their queue. */
export const returnExchange = 'waybill.return'
/** Where delayed messages go whose queue was deleted. */
export const orphanQueue = 'waybill.orphans'
/** Where discarded dead letters are until they expire. */
export const bin = 'waybill.discarded'

/** The argument that names the owner of an object; RabbitMQ keeps it and ignores it when comparing arguments. */
export const ownerArgument = 'x-waybill-owner'

/** The owner that an instance of Waybill writes on the objects of one resource: `waybill:Subscription/shop/billing`. */
export const ownerOf = (instance: string, resource: Parameters<typeof idOf>[0]): string =>
  `${instance}:${idOf(resource)}`

/** Policies have no arguments: their name is the owner, followed by `#part` where a resource has several. */
export const policyName = (owner: string, part?: string): string => (part === undefined ? owner : `${owner}#${part}`)
/** The part of the name of a policy that closes queues before their deletion. */
export const sealPart = 'seal'
/** The owner that the name of a policy states. */
export const ownerOfPolicy = (name: string): string => name.split('#')[0] ?? name

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** A regular expression that matches exactly one name: policy patterns are regular expressions, and `.` matches anything. */
export const exactly = (name: string): string => `^${escaped(name)}$`

/** RabbitMQ 4.3 refuses a policy with a longer pattern (`pattern must not exceed 1024 bytes`). */
const longestPattern = 1024

/**
 * Regular expressions, each with the first name that it matches: each of the names matches exactly one of them, and no other
 * name matches any. There are as few as possible, except that a new one begins with each name that `startsGroup`.
 */
export const exactlyEach = (
  names: readonly string[],
  startsGroup: (name: string) => boolean = () => false,
): readonly { readonly first: string; readonly pattern: string }[] => {
  const patterns: { first: string; pattern: string }[] = []
  let group: string[] = []
  // Sorted, so that names with long common beginnings are next to each other.
  for (const name of names.toSorted()) {
    const pattern = oneOf([...group, name])
    if (group.length > 0 && Buffer.byteLength(pattern) <= longestPattern && !startsGroup(name)) {
      group.push(name)
      patterns[patterns.length - 1] = { first: group[0] ?? name, pattern }
    } else {
      group = [name]
      patterns.push({ first: name, pattern: exactly(name) })
    }
  }
  return patterns
}

/** `names` are sorted: the common beginning of the first and the last is common to all. */
const oneOf = (names: readonly string[]): string => {
  const [first = '', last = ''] = [names[0], names.at(-1)]
  let end = 0
  while (end < first.length && first[end] === last[end]) end += 1
  // A character of two code units is not split.
  if (/[\ud800-\udbff]$/.test(first.slice(0, end))) end -= 1
  return `^${escaped(first.slice(0, end))}(${names.map((name) => escaped(name.slice(end))).join('|')})$`
}

/** The field from which the name of a resource's own object on the broker comes. */
export const nameField = ({ kind }: Pick<Resource, 'kind'>): string =>
  kind === 'Topic' ? 'spec.exchange.name' : kind === 'Queue' ? 'spec.name' : 'metadata.name'

/** Whether a resource of this kind can have this object under another name; `waybill.…` are not for anybody to choose. */
export const mayChoose = ({ kind }: { readonly kind: string }, object: string): boolean => {
  const [what, name = ''] = object.split(' ', 2)
  return !isReserved(name) && ((kind === 'Topic' && what === 'exchange') || (kind === 'Queue' && what === 'queue'))
}
