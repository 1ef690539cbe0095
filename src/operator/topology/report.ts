import { type Reason, type Verdict, verdict } from '../../api/conditions.ts'
import { allFrom, deliveringReady, readyFrom } from '../../api/readiness.ts'
import { idOf, isDeleting, type Resource } from '../../api/resource.ts'
import type { Report } from '../../reconcile/status-writer.ts'
import { capabilitiesOf, knownIssuesOf } from '../../topology/dialect.ts'
import { type FullQueue, fullAmong, fullText, returnTargets } from '../../topology/health/in-force.ts'
import { concerning, type Retained, textOf } from '../../topology/health/retained.ts'
import type { StalledLevel } from '../../topology/health/stalled-levels.ts'
import {
  deadLetterQueueOf,
  deadLetterQueueOfQueue,
  delayPrefix,
  exchangeOf,
  orphanQueue,
  ownerOf,
  queueOf,
  retryPrefix,
  retryQueueOf,
  returnExchange,
  unroutedOf,
} from '../../topology/names.ts'
import { isNobodys, type Owners, ownersOf } from '../../topology/owners.ts'
import {
  type Attached,
  type AttachedQueue,
  type AttachedSubscription,
  declarerOf,
  sourceQueueOf,
} from '../../topology/references.ts'
import type { Refusal } from '../../topology/refusals.ts'
import type { Observed } from '../../topology/topology.ts'
import { acceptedOf, lastSeen, refsOf, resolved, stillPresent } from '../world/last-seen.ts'
import { deadLettersAlert } from './dead-letters-alert.ts'
import { backlogOf } from './measure.ts'
import { type Findings, type Judge, judge } from './verdicts.ts'

/** The statuses of all resources of one broker, from what was found on it. `now` is in ms since 1970. */
export const report = (attached: Attached, findings: Findings, observed: Observed, now: number): Report[] => {
  const { instance } = findings.wanted
  const owner = (resource: Resource) => ownerOf(instance, resource)
  const judged = judge(findings, (refusal: Refusal) => owner(refusal.resource))
  const messages = (queue: string): number => observed.states.get(queue)?.messages ?? 0

  const simple = (resource: Resource, fields: Report['fields'], refs = resolved): Report => {
    const { accepted: found, programmed, problems } = judged(owner(resource))
    const accepted = found.status === 'True' ? acceptedOf(resource) : found
    return {
      resource,
      fields,
      verdicts: [...allFrom(accepted, refs, programmed), ...problems],
    }
  }
  const owners = ownersOf(observed)
  const subscribers = new Map<string, number>()
  for (const { source } of attached.subscriptions) {
    if ('topic' in source) subscribers.set(idOf(source.topic), (subscribers.get(idOf(source.topic)) ?? 0) + 1)
  }

  const returning = returnTargets(observed)
  const full = fullAmong(observed)

  return [
    brokerReport(attached, simple(attached.broker, {}), observed, findings),
    ...attached.topics.map((topic) =>
      simple(topic, {
        exchange: exchangeOf(topic),
        subscriptions: subscribers.get(idOf(topic)) ?? 0,
        unrouted: rounded(messages(unroutedOf(topic))),
      }),
    ),
    ...attached.queues.map((entry) => {
      const { queue } = entry
      const policy = observed.states.get(queueOf(queue))?.policy ?? ''
      const fields = { queue: queueOf(queue), messages: rounded(messages(queueOf(queue))), policy }
      return withDeadLetters(simple(queue, fields, refsOf(entry.unknownPolicy)), entry, observed, now)
    }),
    ...attached.subscriptions.map((entry) => {
      const declarer = owner(declarerOf(entry))
      const proven = isProven(entry, owners, declarer, judged(declarer))
      const found = simple(entry.subscription, provenQueue(entry, proven), refsOf(entry.unknownPolicy))
      return subscriptionReport(entry, found, observed, { returning, full, now })
    }),
  ].flatMap((found) => (isDeleting(found.resource) ? leaving(found.resource, findings, owner) : [found]))
}

/** What is being deleted is not Ready, as long as it is there; what is about to go needs no status. */
const leaving = (
  resource: Resource,
  { plan, observing }: Findings,
  owner: (resource: Resource) => string,
): Report[] => {
  if (observing || !plan.waiting.has(owner(resource))) return []
  const gone = 'Being deleted: its queues are removed once nothing is in them or on its way to them'
  const programmed = verdict('Programmed', 'False', 'Deleting', gone)
  const accepted = acceptedOf(resource)
  const verdicts = [accepted, resolved, programmed, readyFrom(accepted, resolved, programmed)]
  return [{ resource, fields: lastSeen(resource), verdicts: [...verdicts, ...stillPresent(resource)] }]
}

const brokerReport = (
  attached: Attached,
  { verdicts }: Report,
  observed: Observed,
  { stalled, retained }: Pick<Findings, 'stalled' | 'retained'>,
): Report => {
  const { broker, topics, queues, subscriptions } = attached
  let delayed = 0
  for (const state of observed.states.values()) if (state.name.startsWith(delayPrefix)) delayed += state.messages
  return {
    resource: broker,
    fields: {
      version: observed.version,
      capabilities: capabilitiesOf(observed.version),
      knownIssues: knownIssuesOf(observed.version),
      attached: { topics: topics.length, queues: queues.length, subscriptions: subscriptions.length },
      delayed: rounded(delayed),
      orphaned: rounded(observed.states.get(orphanQueue)?.messages ?? 0),
      retained: retained.slice(0, 20).map(textOf),
    },
    verdicts: [
      ...verdicts,
      verdict('Connected', 'True', 'Connected', `Connected to RabbitMQ ${observed.version}`),
      ...stalledVerdicts(stalled),
      ...orphanVerdicts(observed),
      ...retainedVerdicts(retained),
    ],
  }
}

/** Only messages of older versions come back to other queues than those for retries. */
const likelyFirst = (full: readonly FullQueue[]): readonly FullQueue[] =>
  full.toSorted((a, b) => Number(b.name.startsWith(retryPrefix)) - Number(a.name.startsWith(retryPrefix)))

const orphanVerdicts = ({ states }: Observed): Verdict[] => {
  const count = states.get(orphanQueue)?.messages ?? 0
  if (count === 0) return []
  const message = `${orphanQueue} holds delayed messages whose queue is gone: create its Subscription again and they are put back, or move them`
  return [verdict('OrphansPresent', 'True', 'Orphans', message)]
}

const retainedVerdicts = (retained: readonly Retained[]): Verdict[] => {
  const found = concerning(retained)
  return found === undefined ? [] : [verdict('RetainedPresent', 'True', found.reason, found.message)]
}

const stalledVerdicts = (stalled: readonly StalledLevel[]): Verdict[] => {
  const [first] = stalled
  if (first === undefined) return []
  const levels = stalled.map(({ level, held }) => `${delayPrefix}${level} (${held} messages)`).join(', ')
  const cause =
    first.full.length > 0
      ? `${likelyFirst(first.full).slice(0, 3).map(fullText).join('; ')}: raise its limit or make room in it; RabbitMQ tries again every 3 minutes`
      : `find the queue bound to ${returnExchange} that takes nothing, or see whether the broker is overloaded`
  const message = `Messages are over their delay and no queue takes them: ${levels}; ${cause}`
  return [verdict('LadderStalled', 'True', 'TargetRefuses', message)]
}

/** Whether the queue was found on the broker, and is of the resource that declares it. */
const isProven = (
  entry: AttachedSubscription,
  owners: Owners,
  declarer: string,
  { accepted, programmed }: ReturnType<Judge>,
): boolean => {
  const object = `queue ${sourceQueueOf(entry)}`
  const adopts = 'queue' in entry.source && entry.source.queue.spec.adopt
  const isIts = owners.get(object) === declarer || (adopts && isNobodys(object, owners))
  return isIts && accepted.status === 'True' && !inTheWay.has(programmed.reason)
}

const inTheWay: ReadonlySet<string> = new Set<Reason<'Programmed'>>(['Conflicted', 'ImmutableArgument'])

/**
 * The queue that a Subscription delivers from, and the resource that it was proved to belong to, by its uid: another one of the
 * same name may ask for another queue. What was proved stays until something else is.
 */
const provenQueue = (entry: AttachedSubscription, proven: boolean): Report['fields'] => {
  if (proven) return { queue: sourceQueueOf(entry), queueUid: declarerOf(entry).metadata.uid }
  const { queue, queueUid } = entry.subscription.status ?? {}
  return { ...(queue === undefined ? {} : { queue }), ...(queueUid === undefined ? {} : { queueUid }) }
}

/** A Queue with a policy has a dead-letter queue of its own. */
const withDeadLetters = (
  found: Report,
  { queue, policy }: AttachedQueue,
  { states }: Observed,
  now: number,
): Report => {
  if (queue.spec.deadLetterPolicyRef === undefined) return found
  const deadLetterQueue = deadLetterQueueOfQueue(queue)
  const count = states.get(deadLetterQueue)?.messages ?? 0
  const alert = deadLettersAlert({ queue: deadLetterQueue, count, policy, found: queue.status?.deadLetters }, now)
  return {
    ...found,
    fields: { ...found.fields, deadLetterQueue, deadLetters: { count } },
    verdicts: [...found.verdicts, ...(alert ? [alert] : [])],
  }
}

type InForce = {
  readonly returning: ReadonlySet<string>
  readonly full: ReturnType<typeof fullAmong>
  readonly now: number
}

const subscriptionReport = (
  entry: AttachedSubscription,
  { verdicts, fields }: Report,
  { states }: Observed,
  { returning, full, now }: InForce,
): Report => {
  const { subscription, policy } = entry
  const { status } = subscription
  const delivering = status?.conditions?.find(({ type }) => type === 'Delivering')
  const deadLetterQueue = deadLetterQueueOf(subscription)
  const backlog = backlogOf(entry, states)
  const retryQueue = retryQueueOf(subscription)
  const dead = states.get(deadLetterQueue)?.messages ?? 0
  const alert = deadLettersAlert({ queue: deadLetterQueue, count: dead, policy, found: status?.deadLetters }, now)
  return {
    resource: subscription,
    fields: {
      ...fields,
      ...(returning.has(retryQueue) ? { retryQueue } : {}),
      deadLetterQueue,
      backlog: { ready: rounded(backlog.ready), inFlight: rounded(backlog.unacknowledged) },
      deadLetters: { count: dead },
    },
    verdicts: [
      ...verdicts.map((found) => (found.type === 'Ready' ? deliveringReady(found, delivering) : found)),
      ...(alert ? [alert] : []),
      ...full([sourceQueueOf(entry), retryQueue])
        .map((found) =>
          verdict('QueueFull', 'True', 'LimitReached', `${fullText(found)}: raise the limit, or deliver faster`),
        )
        .slice(0, 1),
    ],
  }
}

/** Two significant digits: precise enough for a person, and not a write for every message. */
export const rounded = (count: number): number => {
  if (count < 100) return count
  const step = 10 ** (Math.floor(Math.log10(count)) - 1)
  return Math.floor(count / step) * step
}
