import { durationText } from '../api/duration.ts'
import type { Queue } from '../api/queue.ts'
import type { Resource } from '../api/resource.ts'
import type { Subscription } from '../api/subscription.ts'
import type { Topic } from '../api/topic.ts'

/**
 * Every name that Waybill uses on a broker. That they fit into the 255 bytes of AMQP is a rule of src/api/fields.ts.
 * Kubernetes namespaces hold no dot, so `<namespace>.<name>` is unique.
 */
const dotted = ({ metadata }: Pick<Resource, 'metadata'>): string => `${metadata.namespace}.${metadata.name}`

export const exchangeOf = (topic: Topic): string => topic.spec.exchange.name ?? dotted(topic)
export const unroutedOf = (topic: Topic): string => `waybill.unrouted.${dotted(topic)}`
export const queueOf = (queue: Queue): string => queue.spec.name ?? dotted(queue)
/** `Queue.` cannot start a namespace, so this never meets the dead-letter queue of a subscription. */
export const deadLetterQueueOfQueue = (queue: Queue): string => `waybill.dlq.Queue.${dotted(queue)}`
export const subscriptionQueueOf = (subscription: Subscription): string => `waybill.sub.${dotted(subscription)}`
export const deadLetterQueueOf = (subscription: Subscription): string => `waybill.dlq.${dotted(subscription)}`

/** Exchange and queue of one level of the delay ladder. */
export const delayPrefix = 'waybill.delay.'
export const delayLevel = (delayMs: number): string => `${delayPrefix}${durationText(delayMs)}`
export const returnExchange = 'waybill.return'
export const orphanQueue = 'waybill.orphans'

/** The argument that says whose an object is; RabbitMQ keeps it and ignores it when comparing. */
export const ownerArgument = 'x-waybill-owner'

/** What an instance of Waybill writes on the objects of one resource: `waybill:Subscription/shop/billing`. */
export const claimOf = (instance: string, id: string): string => `${instance}:${id}`

/** Policies have no arguments: their name is the claim, with a `#part` where a resource has several. */
export const policyName = (claim: string, part?: string): string => (part === undefined ? claim : `${claim}#${part}`)
export const fencePart = 'fence'
export const claimOfPolicy = (name: string): string => name.split('#')[0] ?? name

/** A regular expression that matches exactly one name: policy patterns are regular expressions, and `.` matches anything. */
export const exactly = (name: string): string => `^${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`

/** The field that the name of a resource's own object on the broker comes from. */
export const nameField = ({ kind }: Pick<Resource, 'kind'>): string =>
  kind === 'Topic' ? 'spec.exchange.name' : kind === 'Queue' ? 'spec.name' : 'metadata.name'
