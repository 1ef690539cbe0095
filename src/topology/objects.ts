import { milliseconds } from '../api/duration.ts'
import type { Queue as QueueResource } from '../api/kinds/queue.ts'
import type { Subscription } from '../api/kinds/subscription.ts'
import type { Topic } from '../api/kinds/topic.ts'
import { rungs } from './delay-ladder.ts'
import type { Dialect } from './dialect.ts'
import {
  bin,
  deadLetterQueueOf,
  deadLetterQueueOfQueue,
  delayLevel,
  exactly,
  exchangeOf,
  orphanQueue,
  policyName,
  queueOf,
  retryQueueOf,
  returnExchange,
  unroutedOf,
} from './names.ts'
import { type AttachedQueue, type AttachedSubscription, sourceQueueOf } from './references.ts'
import { queuePriority, type Retention } from './retention.ts'
import type { Arguments, Binding, Exchange, Policy, Queue } from './topology.ts'

/** What one resource wants on the broker, without the argument that names its owner. */
export type Objects = {
  readonly exchanges?: readonly Exchange[]
  readonly queues?: readonly Queue[]
  readonly bindings?: readonly Binding[]
  readonly policies?: readonly Policy[]
  readonly retentions?: readonly Retention[]
}

const quorum = (name: string, more: Arguments = {}): Queue => ({
  name,
  durable: true,
  arguments: { 'x-queue-type': 'quorum', ...more },
})

/** A full queue refuses new messages, so that nothing that is kept is pushed out. */
const refuseWhenFull: Arguments = { 'x-overflow': 'reject-publish' }

/** https://www.rabbitmq.com/docs/quorum-queues#dead-lettering: all three are needed, or it falls back to at-most-once. */
const deadLettersSafely = (exchange: string): Arguments => ({
  'x-dead-letter-exchange': exchange,
  'x-dead-letter-strategy': 'at-least-once',
  ...refuseWhenFull,
})

/**
 * Where the broker puts messages that it gives up itself. At-least-once would give each queue a worker of its own and make
 * its declaration many times slower, for a case that the dispatcher prevents: it dead-letters first, and safely.
 */
const lastNet = (deadLetters: string): Arguments => ({
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': deadLetters,
  ...refuseWhenFull,
})

const bind = (source: string, destination: string, routingKey: string, args: Arguments = {}): Binding => ({
  source,
  destination,
  routingKey,
  arguments: args,
})

const fanout = (name: string): Exchange => ({ name, type: 'fanout', arguments: {} })

/** What a Topic wants. The exchange always has its alternate exchange; `unrouted` decides whether that leads to a queue. */
export const topicObjects = (topic: Topic, owner: string): Objects => {
  const unrouted = unroutedOf(topic)
  const type = topic.spec.exchange.type.toLowerCase() as Exchange['type']
  const exchange: Exchange = { name: exchangeOf(topic), type, arguments: { 'alternate-exchange': unrouted } }
  const parked = topic.spec.unrouted === 'Park'
  return {
    exchanges: [exchange, fanout(unrouted)],
    queues: parked ? [quorum(unrouted, refuseWhenFull)] : [],
    bindings: parked ? [bind(unrouted, unrouted, '')] : [],
    policies: parked && topic.spec.adopt ? [alternatePolicy(owner, exchange.name, unrouted)] : [],
  }
}

/**
 * An adopted exchange has arguments of its own, so a policy gives it its alternate exchange. One policy applies to an
 * exchange, and any other takes precedence over this one.
 */
const alternatePolicy = (owner: string, exchange: string, alternate: string): Policy => ({
  ...policy(policyName(owner), exactly(exchange), lastPriority, { 'alternate-exchange': alternate }),
  applyTo: 'exchanges',
})

/**
 * What a Queue wants: the queue, its bindings, its settings as a policy, and its dead-letter queue where it has a policy. `pusher` is
 * the Subscription that pushes from it.
 */
export const queueObjects = (
  { queue, topics, ...letters }: AttachedQueue,
  owner: string,
  dialect: Dialect,
  pusher: Subscription | undefined,
): Objects => {
  const name = queueOf(queue)
  const deadLetters = deadLetterQueueOfQueue(queue)
  const hasPolicy = queue.spec.deadLetterPolicyRef !== undefined
  const bindings = (queue.spec.bindings ?? []).flatMap(({ routingKeys }, index) => {
    const topic = topics[index]
    return topic ? routingKeys.map((key) => bind(exchangeOf(topic), name, key)) : []
  })
  const settings = queueSettings(queue, hasPolicy ? deadLetters : undefined, pusher && { pusher, dialect })
  return {
    queues: [
      { name, durable: true, arguments: { 'x-queue-type': queue.spec.type.toLowerCase() } },
      ...(hasPolicy ? [quorum(deadLetters, refuseWhenFull)] : []),
    ],
    bindings,
    policies: settingsPolicy(owner, name, settings),
    retentions: retentionOf(deadLetters, letters, dialect),
  }
}

/**
 * What a Subscription wants: its dead-letter queue, the queue that its retries come back to, and, unless it pushes from a Queue,
 * the queue that it delivers from. That one stays bound to the return exchange too: retries of older versions come back to it.
 */
export const subscriptionObjects = (attached: AttachedSubscription, dialect: Dialect): Objects => {
  const { subscription, source } = attached
  const deadLetters = deadLetterQueueOf(subscription)
  const retries = retryQueueOf(subscription)
  const name = sourceQueueOf(attached)
  const own = 'topic' in source ? [quorum(name, lastNet(deadLetters))] : []
  return {
    retentions: retentionOf(deadLetters, attached, dialect),
    queues: [...own, quorum(retries, lastNet(deadLetters)), quorum(deadLetters, refuseWhenFull)],
    bindings: [
      bind(returnExchange, retries, retries),
      bind(returnExchange, name, name),
      ...('topic' in source ? filterBindings(subscription, source.topic, name) : []),
    ],
  }
}

const filterBindings = ({ spec }: Subscription, topic: Topic, queue: string): Binding[] => {
  const exchange = exchangeOf(topic)
  switch (topic.spec.exchange.type) {
    case 'Fanout':
      return [bind(exchange, queue, '')]
    case 'Headers':
      return [bind(exchange, queue, '', { 'x-match': 'all', ...spec.filter.headers })]
    case 'Topic':
      return spec.filter.routingKeys.map((key) => bind(exchange, queue, key))
  }
}

/** What all subscriptions of a broker share: the delay ladder, and the exchange that leads back from it. */
export const sharedObjects = (dialect: Dialect): Objects => {
  const names = rungs.map((delayMs) => ({ delayMs, name: delayLevel(delayMs) }))
  return {
    exchanges: [
      // Without an alternate exchange 32 unroutable messages stop a whole level for everybody.
      { name: returnExchange, type: 'direct', arguments: { 'alternate-exchange': orphanQueue } },
      fanout(orphanQueue),
      ...names.map(({ name }) => fanout(name)),
    ],
    queues: [
      quorum(orphanQueue, refuseWhenFull),
      quorum(bin, refuseWhenFull),
      ...names.map(({ name, delayMs }) =>
        quorum(name, { 'x-message-ttl': delayMs, ...deadLettersSafely(returnExchange) }),
      ),
    ],
    bindings: [bind(orphanQueue, orphanQueue, ''), ...names.map(({ name }) => bind(name, name, ''))],
    policies: classPolicies(dialect),
  }
}

/** Neither giving messages back nor looking at those that are kept may use up their deliveries. */
const classPolicies = (dialect: Dialect): Policy[] => {
  const definition = neverReached(dialect)
  return Object.keys(definition).length === 0
    ? []
    : [
        policy('waybill:sub', '^waybill\\.(sub|retry)\\.', classPriority, definition),
        policy(
          'waybill:kept',
          '^waybill\\.(dlq|unrouted|delay)\\.|^waybill\\.(orphans|discarded)$',
          classPriority,
          definition,
        ),
      ]
}

/** What all Brokers of a virtual host share: they belong to whichever wants them. */
export const classPolicyNames: ReadonlySet<string> = new Set(['waybill:sub', 'waybill:kept'])

const neverReached = ({ deliveryLimit }: Dialect): Arguments =>
  deliveryLimit === undefined ? {} : { 'delivery-limit': deliveryLimit }

const classPriority = 100
/** Below 0, the priority of a policy whose author chose none. */
const lastPriority = -1

const policy = (name: string, pattern: string, priority: number, definition: Arguments): Policy => ({
  name,
  pattern,
  applyTo: 'queues',
  priority,
  definition,
})

/** One for each queue, so that it stays as it is when its resource no longer resolves. */
const settingsPolicy = (owner: string, queue: string, definition: Arguments): Policy[] =>
  Object.keys(definition).length > 0 ? [policy(policyName(owner), exactly(queue), queuePriority, definition)] : []

/**
 * A Queue that a Subscription pushes from is as safe as a queue of its own: its delivery limit is never reached, whatever the Queue
 * says, and what the broker gives up all the same goes to the dead-letter queue of the Subscription.
 */
const queueSettings = (
  { spec }: QueueResource,
  deadLetters: string | undefined,
  pushed: { readonly pusher: Subscription; readonly dialect: Dialect } | undefined,
): Arguments => {
  const net = deadLetters ?? (pushed && deadLetterQueueOf(pushed.pusher))
  const refuses = spec.overflow === 'RejectPublish'
  return {
    ...(spec.messageTTL === undefined ? {} : { 'message-ttl': milliseconds(spec.messageTTL) }),
    ...(spec.maxLength === undefined
      ? {}
      : { 'max-length': spec.maxLength, overflow: refuses ? 'reject-publish' : 'drop-head' }),
    ...(spec.type === 'Quorum' ? deliveryLimitOf(spec, pushed?.dialect) : {}),
    ...(net === undefined ? {} : { 'dead-letter-exchange': '', 'dead-letter-routing-key': net }),
    ...(deadLetters !== undefined && refuses && spec.type === 'Quorum'
      ? { 'dead-letter-strategy': 'at-least-once', overflow: 'reject-publish' }
      : {}),
  }
}

const deliveryLimitOf = ({ deliveryLimit }: QueueResource['spec'], pushedOn: Dialect | undefined): Arguments => {
  if (pushedOn) return neverReached(pushedOn)
  return deliveryLimit === undefined ? {} : { 'delivery-limit': deliveryLimit }
}

const retentionOf = (
  queue: string,
  { policy, unknownPolicy }: Pick<AttachedQueue, 'policy' | 'unknownPolicy'>,
  dialect: Dialect,
): Retention[] => {
  if (unknownPolicy) return [{ queue, definition: 'as it is' }]
  const { maxAge, maxLength, whenFull } = policy?.spec.retention ?? {}
  if (maxAge === undefined && maxLength === undefined) return []
  const definition = {
    ...(maxAge === undefined ? {} : { 'message-ttl': milliseconds(maxAge) }),
    ...(maxLength === undefined ? {} : { 'max-length': maxLength }),
    overflow: whenFull === 'DropOldest' ? 'drop-head' : 'reject-publish',
    ...neverReached(dialect),
  }
  return [{ queue, definition }]
}
