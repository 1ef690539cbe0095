import { milliseconds } from '../../api/duration.ts'
import type { Job } from '../../api/job.ts'
import { toOf } from '../../api/kinds/replay.ts'
import { idOf, keyOf } from '../../api/resource.ts'
import { type Attempt, attemptAfter, type Ended } from '../../delivery/attempt/attempt.ts'
import { type Outcome, outcomeText } from '../../delivery/attempt/outcome.ts'
import { toRequest } from '../../delivery/attempt/request.ts'
import { type Decision, decide } from '../../delivery/decide.ts'
import { toEvent } from '../../delivery/event/event.ts'
import { asItDied, brokerDeathOf } from '../../delivery/letters/broker-death.ts'
import type { Letter } from '../../delivery/letters/letter.ts'
import { type Copy, deadLetterCopy, discardedCopy, putBackCopy, restoredCopy } from '../../delivery/message/copy.ts'
import { type History, historyOf, type Replayed } from '../../delivery/message/history.ts'
import type { Message } from '../../delivery/message/message.ts'
import type { Sender } from '../../http/send.ts'
import type { Tracing } from '../../telemetry/tracing.ts'
import { bin, returnExchange } from '../../topology/names.ts'
import type { Route } from '../pipeline/route.ts'
import { endAttempt, startAttempt } from '../pipeline/traced.ts'
import type { Destination, Places, Source } from './places.ts'
import { isBroken } from './sort.ts'

/** A dead letter, or another message that is kept, in hand. */
export type Taken = { readonly message: Message; readonly letter: Letter }

/**
 * What is to be done with a message: `copy` is to be stored before it is removed from its queue; `isPut` says that this is
 * somewhere else, which may be gone or full. `outcome` is that of an attempt that failed. `undefined`: nothing; it stays
 * where it is.
 */
export type Done = { readonly copy?: Copy; readonly isPut?: true; readonly outcome?: Outcome } | undefined

/** What a job does with one message. Never rejects. */
export type Way = (taken: Taken) => Promise<Done>

export type WayOptions = Places & {
  /** There for a job that delivers. */
  readonly sender: Pick<Sender, 'send'> | undefined
  readonly tracing?: Tracing | undefined
}

/** The way of a job. */
export const wayOf = (job: Job, { source, destination, sender, tracing }: WayOptions): Way => {
  if (job.kind === 'Discard') return discardWay(job, source)
  if (toOf(job.spec) === 'DeadLetters') return async ({ message }) => ({ copy: restoredCopy(message, source.queue) })
  if (destination) return putWay(job, source, destination)
  if (source.route === undefined || sender === undefined) throw new Error('To deliver needs a subscriber and a sender')
  return subscriberWay(job, source.route, { sender, tracing })
}

/** How long what was discarded is kept, without a policy. */
const usuallyKept = '168h'

const discardWay = (job: Job & { readonly kind: 'Discard' }, { kept, queue: from, policy }: Source): Way => {
  const keptMs = milliseconds(policy?.spec.retention.discarded ?? usuallyKept)
  if (keptMs === 0) return async () => ({})
  const by = [idOf(job), job.spec.requestedBy].filter(Boolean).join(' for ')
  const { reason } = job.spec
  return async ({ message }) => {
    const history = kept === 'dead' ? undefined : historyOfKept(message)
    return { copy: discardedCopy(message, { at: Date.now(), by, reason, from }, { bin, keptMs }, history) }
  }
}

const putWay = (job: Job, { kept, route }: Source, destination: Destination): Way => {
  return async (taken) => {
    const { message, letter } = taken
    const history = kept === 'dead' ? revived(message).history : historyOfKept(message)
    if (route && isBroken(message)) return failedAgain(job, route, taken, unreadable(attemptAfter(history, Date.now())))
    const to =
      'queue' in destination
        ? { exchange: '', routingKey: destination.queue }
        : { exchange: destination.exchange, routingKey: history.routingKey }
    return { copy: putBackCopy(message, history, to, replayedBy(job, letter)), isPut: true }
  }
}

/** One attempt, whatever the terms of the subscription: what fails stays a dead letter. */
const subscriberWay = (job: Job, route: Route, { sender, tracing }: Sending): Way => {
  return async (taken) => {
    const { alive, history } = revived(taken.message)
    const attempt = { ...attemptAfter(history, Date.now()), expiresAt: undefined }
    if (isBroken(taken.message)) return failedAgain(job, route, taken, unreadable(attempt))
    const event = toEvent(alive, history)
    const span =
      tracing && startAttempt(tracing, { route, message: alive, event, attempt: replayed(attempt, job, taken) })
    const outcome: Outcome =
      'unparsable' in event
        ? { kind: 'unsendable', message: event.unparsable }
        : await sender.send(toRequest(event, route.target, attempt.number, span?.context))
    const endedAt = Date.now()
    if (span) endAttempt(span, outcome, decidedOf(outcome, attempt, route, endedAt), endedAt)
    if (outcome.kind === 'delivered') return {}
    if (outcome.kind === 'abandoned') return undefined
    return failedAgain(job, route, taken, { attempt, outcome, endedAt, trace: span?.context.traceparent })
  }
}

type Sending = { readonly sender: Pick<Sender, 'send'>; readonly tracing: Tracing | undefined }

/** The attempt as a trace shows it: what it was a dead letter for is no wait. */
const replayed = (attempt: Attempt, job: Job, { letter }: Taken): Attempt => ({
  ...attempt,
  history: { ...attempt.history, lastAttempt: undefined, replayed: replayedBy(job, letter) },
})

const decidedOf = (outcome: Outcome, attempt: Attempt, { terms }: Route, endedAt: number): Decision =>
  decide(outcome, attempt, { ...terms, maxAttempts: 1 }, endedAt)

type Failed = Ended & { readonly outcome: Outcome }

const unreadable = (attempt: Attempt): Failed => ({
  attempt,
  outcome: { kind: 'unsendable', message: 'Its properties cannot be read' },
  endedAt: attempt.begunAt,
})

/** It stays a dead letter, for what became of it now. */
const failedAgain = (job: Job, route: Route, { message, letter }: Taken, ended: Failed): Done => {
  const { outcome, attempt, endedAt } = ended
  const decided = decidedOf(outcome, attempt, route, endedAt)
  const decision = decided.do === 'dead-letter' ? decided : ({ reason: 'Gone', message: outcomeText(outcome) } as const)
  const origin = { subscription: keyOf(route.subscription), queue: route.queue }
  const copy = deadLetterCopy(message, origin, ended, decision, route.deadLetterQueue, replayedBy(job, letter))
  return { copy, outcome }
}

const replayedBy = ({ metadata }: Job, { replays }: Letter): Replayed => ({ by: metadata.uid, times: replays + 1 })

/** A dead letter came from a delay, as far as its headers are concerned: Waybill or the broker published it through ''. */
const fromDelay = { returnExchange: '', countsDeliveries: false, timeToLiveMs: undefined }

/** What is parked or an orphan is as it was published, or came back from the bin: then its headers say what it was. */
const historyOfKept = (message: Message): History =>
  historyOf(message, message.fields.exchange === '' ? fromDelay : { ...fromDelay, returnExchange })

const revived = (message: Message): { readonly alive: Message; readonly history: History } => {
  const alive = asItDied(message, brokerDeathOf(message.properties.headers))
  return { alive, history: historyOf(alive, fromDelay) }
}
