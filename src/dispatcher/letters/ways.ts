import { milliseconds } from '../../api/duration.ts'
import type { DeadLetterPolicy } from '../../api/kinds/dead-letter-policy.ts'
import { idOf, keyOf } from '../../api/resource.ts'
import { type Attempt, attemptAfter, type Ended } from '../../delivery/attempt/attempt.ts'
import { type Outcome, outcomeText } from '../../delivery/attempt/outcome.ts'
import { toRequest } from '../../delivery/attempt/request.ts'
import { decide } from '../../delivery/decide.ts'
import { toEvent } from '../../delivery/event/event.ts'
import { asItDied, brokerDeathOf } from '../../delivery/letters/broker-death.ts'
import type { Letter } from '../../delivery/letters/letter.ts'
import { type Copy, deadLetterCopy, discardedCopy, putBackCopy, restoredCopy } from '../../delivery/message/copy.ts'
import { type History, historyOf, type Replayed } from '../../delivery/message/history.ts'
import type { Message } from '../../delivery/message/message.ts'
import type { Sender } from '../../http/send.ts'
import { bin } from '../../topology/names.ts'
import type { Route } from '../pipeline/route.ts'
import { isBroken } from './sort.ts'
import type { Job } from './unfinished.ts'

/** A dead letter in hand. */
export type Taken = { readonly message: Message; readonly letter: Letter }

/**
 * What is to be done with a dead letter: `copy` is to be stored before it is removed from its queue. `outcome` is that of an
 * attempt that failed. `undefined`: nothing; it stays where it is.
 */
export type Done = { readonly copy?: Copy; readonly outcome?: Outcome } | undefined

/** What a job does with one dead letter. Never rejects. */
export type Way = (taken: Taken) => Promise<Done>

export type WayOptions = {
  readonly route: Route
  readonly policy: DeadLetterPolicy | undefined
  /** There for a job that delivers. */
  readonly sender: Pick<Sender, 'send'> | undefined
}

/** The way of a job. */
export const wayOf = (job: Job, { route, policy, sender }: WayOptions): Way => {
  if (job.kind === 'Discard') return discardWay(job, route, policy)
  switch (job.spec.to) {
    case 'Queue':
      return putBackWay(job, route)
    case 'DeadLetters':
      return async ({ message }) => ({ copy: restoredCopy(message, route.deadLetterQueue) })
    case 'Subscriber':
      if (sender === undefined) throw new Error('To deliver needs a sender')
      return subscriberWay(job, route, sender)
  }
}

/** How long what was discarded is kept, without a policy. */
const usuallyKept = '168h'

const discardWay = (
  job: Job & { readonly kind: 'Discard' },
  { deadLetterQueue: from }: Route,
  policy: DeadLetterPolicy | undefined,
): Way => {
  const keptMs = milliseconds(policy?.spec.retention.discarded ?? usuallyKept)
  if (keptMs === 0) return async () => ({})
  const by = [idOf(job), job.spec.requestedBy].filter(Boolean).join(' for ')
  const { reason } = job.spec
  return async ({ message }) => ({ copy: discardedCopy(message, { at: Date.now(), by, reason, from }, bin, keptMs) })
}

const putBackWay = (job: Job, route: Route): Way => {
  // A queue that somebody else shapes may refuse it, or drop it after a while.
  const queue = route.retryQueue
  return async (taken) => {
    const { message, letter } = taken
    const { history } = revived(message)
    if (isBroken(message)) return failedAgain(job, route, taken, unreadable(attemptAfter(history, Date.now())))
    return { copy: putBackCopy(message, history, queue, replayedBy(job, letter)) }
  }
}

/** One attempt, whatever the terms of the subscription: what fails stays a dead letter. */
const subscriberWay = (job: Job, route: Route, sender: Pick<Sender, 'send'>): Way => {
  return async (taken) => {
    const { alive, history } = revived(taken.message)
    const attempt = { ...attemptAfter(history, Date.now()), expiresAt: undefined }
    if (isBroken(taken.message)) return failedAgain(job, route, taken, unreadable(attempt))
    const event = toEvent(alive, history)
    const outcome: Outcome =
      'unparsable' in event
        ? { kind: 'unsendable', message: event.unparsable }
        : await sender.send(toRequest(event, route.target, attempt.number))
    if (outcome.kind === 'delivered') return {}
    if (outcome.kind === 'abandoned') return undefined
    return failedAgain(job, route, taken, { attempt, outcome, endedAt: Date.now() })
  }
}

type Failed = Ended & { readonly outcome: Outcome }

const unreadable = (attempt: Attempt): Failed => ({
  attempt,
  outcome: { kind: 'unsendable', message: 'Its properties cannot be read' },
  endedAt: attempt.begunAt,
})

/** It stays a dead letter, for what became of it now. */
const failedAgain = (job: Job, route: Route, { message, letter }: Taken, ended: Failed): Done => {
  const { outcome, attempt, endedAt } = ended
  const decided = decide(outcome, attempt, { ...route.terms, maxAttempts: 1 }, endedAt)
  const decision = decided.do === 'dead-letter' ? decided : ({ reason: 'Gone', message: outcomeText(outcome) } as const)
  const origin = { subscription: keyOf(route.subscription), queue: route.queue }
  const copy = deadLetterCopy(message, origin, ended, decision, route.deadLetterQueue, replayedBy(job, letter))
  return { copy, outcome }
}

const replayedBy = ({ metadata }: Job, { replays }: Letter): Replayed => ({ by: metadata.uid, times: replays + 1 })

/** A dead letter came from a delay, as far as its headers are concerned: Waybill or the broker published it through ''. */
const fromDelay = { returnExchange: '', countsDeliveries: false, timeToLiveMs: undefined }

const revived = (message: Message): { readonly alive: Message; readonly history: History } => {
  const alive = asItDied(message, brokerDeathOf(message.properties.headers))
  return { alive, history: historyOf(alive, fromDelay) }
}
