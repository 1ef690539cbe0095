import { brokerTroubles, type Condition, type Reason } from '../../api/conditions.ts'
import { milliseconds } from '../../api/duration.ts'
import type { Resources } from '../../api/kinds/resources.ts'
import type { Subscription } from '../../api/kinds/subscription.ts'
import { idOf, isDeleting } from '../../api/resource.ts'
import { type Target, targetOf } from '../../delivery/attempt/target.ts'
import type { Whence } from '../../delivery/message/history.ts'
import { type Terms, termsOf } from '../../delivery/terms.ts'
import { deadLetterQueueOf, returnExchange } from '../../topology/names.ts'
import {
  type Attached,
  type AttachedSubscription,
  declarerOf,
  resolveReferences,
  sourceQueueOf,
} from '../../topology/references.ts'
import type { Route } from '../pipeline/route.ts'

/** A subscription that is not delivered, and why. */
export type Idle = {
  readonly subscription: Subscription
  readonly reason: 'Suspended' | 'Gone' | 'TargetInvalid' | 'NoConsumer'
  readonly message: string
}

/** The work of a dispatcher for one broker. */
export type Work = {
  readonly attached: Attached
  readonly routes: readonly Route[]
}

/** The work by key of the broker, and the subscriptions that are not delivered. */
export const workOf = (resources: Resources): { work: ReadonlyMap<string, Work>; idle: readonly Idle[] } => {
  const { attached, unresolved } = resolveReferences(resources)
  const idle: Idle[] = []
  const work = new Map([...attached].map(([key, each]) => [key, workFor(each, idle)]))
  for (const { resource } of unresolved) if (resource.kind === 'Subscription') idle.push(...undeclared(resource))
  return { work, idle }
}

const workFor = (attached: Attached, idle: Idle[]): Work => {
  const routes: Route[] = []
  for (const entry of attached.subscriptions) {
    const { subscription } = entry
    if (isDeleting(subscription)) continue
    if (!wasProgrammed(subscription)) {
      idle.push(...undeclared(subscription))
      continue
    }
    const found = restOf(subscription) ?? unproven(entry) ?? routeOf(entry)
    if ('reason' in found) idle.push(found)
    else routes.push(found)
  }
  return { attached, routes }
}

/** A subscription is delivered once its queue was observed on the broker; nothing is reported before that. */
const undeclared = (subscription: Subscription): Idle[] => {
  const programmed = subscription.status?.conditions?.find(({ type }) => type === 'Programmed')
  if (programmed?.status !== 'False' || isDeleting(subscription)) return []
  return [{ subscription, reason: 'NoConsumer', message: 'Not declared on the broker: see Programmed' }]
}

/**
 * A broker that cannot be used for a while, or refuses a change, keeps what was declared there, and so does an operator that
 * was started under another name. But the operator must have observed the queue once, else it may belong to another owner;
 * then the status has its name.
 */
const stillDeclared: ReadonlySet<string> = new Set<Reason<'Programmed'>>([
  ...['Programmed' as const, 'OtherInstance' as const],
  ...brokerTroubles,
])
export const wasProgrammed = ({ status }: Subscription): boolean =>
  status?.queue !== undefined && isDeclared({ status })

/** Whether the objects of a resource are on the broker, and its own, as far as is known. */
export const isDeclared = ({ status }: { readonly status?: { readonly conditions?: readonly Condition[] } }): boolean =>
  status?.conditions?.some(({ type, reason }) => type === 'Programmed' && stillDeclared.has(reason)) ?? false

/**
 * What is consumed is what the operator proved: this queue, for this very resource. A resource that was deleted and made
 * again has the name of the one that was proved, and may ask for a queue of somebody else.
 */
const unproven = (entry: AttachedSubscription): Idle | undefined => {
  const { subscription } = entry
  const { queue, queueUid = subscription.metadata.uid } = subscription.status ?? {}
  if (queue === sourceQueueOf(entry) && queueUid === declarerOf(entry).metadata.uid) return undefined
  const message = `Queue ${sourceQueueOf(entry)} is not yet proved to be that of ${idOf(declarerOf(entry))}`
  return { subscription, reason: 'NoConsumer', message }
}

const restOf = (subscription: Subscription): Idle | undefined => {
  const { metadata, spec, status } = subscription
  if (spec.suspend) {
    return { subscription, reason: 'Suspended', message: 'spec.suspend is true: messages wait in the queue' }
  }
  const gone = status?.conditions?.find(({ type, reason }) => type === 'Suspended' && reason === 'Gone')
  if (gone?.observedGeneration !== metadata.generation) return undefined
  return { subscription, reason: 'Gone', message: gone.message }
}

type Compiled = { readonly terms: Terms; readonly target: Target } | { readonly invalid: string }

/** Specs are immutable, so each is compiled once. */
const compiled = new WeakMap<object, Compiled>()

const compile = (subscription: Subscription): Compiled => {
  const target = targetOf(subscription)
  if ('problem' in target) return { invalid: `${target.problem.field} ${target.problem.message}` }
  return { terms: termsOf(subscription), target }
}

const routeOf = (entry: AttachedSubscription): Route | Idle => {
  const { subscription } = entry
  const known = compiled.get(subscription.spec) ?? compile(subscription)
  compiled.set(subscription.spec, known)
  if ('invalid' in known) return { subscription, reason: 'TargetInvalid', message: known.invalid }
  const queue = sourceQueueOf(entry)
  // An operator of an older version declares no such queue: what comes back from a delay would find none.
  const retryQueue = subscription.status?.retryQueue ?? queue
  const whence = whenceOf(entry.source)
  const { terms, target } = known
  const { uid, generation } = subscription.metadata
  return {
    id: idOf(subscription),
    subscription,
    queue,
    retryQueue,
    whence,
    deadLetterQueue: deadLetterQueueOf(subscription),
    terms,
    target,
    key: `${uid} ${generation} ${queue} ${retryQueue} ${whence.countsDeliveries} ${whence.timeToLiveMs}`,
  }
}

const whenceOf = (source: AttachedSubscription['source']): Whence => {
  if (!('queue' in source)) return { returnExchange, countsDeliveries: true, timeToLiveMs: undefined }
  const { type, messageTTL } = source.queue.spec
  const timeToLiveMs = messageTTL === undefined ? undefined : milliseconds(messageTTL)
  return { returnExchange, countsDeliveries: type === 'Quorum', timeToLiveMs }
}
