import { type Verdict, verdict } from '../api/conditions.ts'
import type { Subscription } from '../api/subscription.ts'
import type { DeadLetterReason, Decision } from './decide.ts'
import { type Outcome, outcomeText, reasonOf } from './outcome.ts'

/** What became of the messages of one subscription since this process began to deliver it. Times are ms since 1970. */
export type Tally = {
  delivered: number
  retried: number
  readonly deadLettered: Record<DeadLetterReason, number>
  /** Attempts that failed since the latest success. */
  failing: number
  lastSuccess: number
  lastFailure: { readonly time: number; readonly outcome: Outcome } | undefined
  /** Until when the latest failures say how things are: the retries that they led to must have shown by then. */
  failingUntil: number
}

export const newTally = (): Tally => ({
  delivered: 0,
  retried: 0,
  deadLettered: { Rejected: 0, Gone: 0, Exhausted: 0, Expired: 0, Unparsable: 0, DeliveryLimit: 0 },
  failing: 0,
  lastSuccess: 0,
  lastFailure: undefined,
  failingUntil: 0,
})

/** How long a success or a failure speaks for the subscription. */
const windowMs = 5_000

const aboutTheMessage: ReadonlySet<DeadLetterReason> = new Set(['Rejected', 'Unparsable', 'DeliveryLimit'])

/** Counts one message that has been settled, after an attempt; its first one was at `firstAttempt`. */
export const count = (tally: Tally, outcome: Outcome, decision: Decision, firstAttempt: number, now: number): void => {
  if (decision.do === 'acknowledge') {
    tally.delivered += 1
    tally.failing = 0
    tally.lastSuccess = now
    return
  }
  if (outcome.kind === 'abandoned') return
  tally.lastFailure = { time: now, outcome }
  if (decision.do === 'dead-letter') tally.deadLettered[decision.reason] += 1
  if (decision.do === 'retry') tally.retried += 1
  // A subscriber that turns one message down, or a message that is none, says nothing about the others.
  if (decision.do === 'dead-letter' && aboutTheMessage.has(decision.reason)) return
  // Nor does one that is answered an error again, when others have succeeded since its first attempt.
  if (outcome.kind === 'answered' && firstAttempt <= tally.lastSuccess) return
  tally.failing += 1
  const speaksFor = windowMs + (decision.do === 'retry' ? decision.delayMs : 0)
  tally.failingUntil = Math.max(tally.failingUntil, now + speaksFor)
}

/**
 * Whether delivery works: not when attempts failed, none succeeded in the last 5 s, and their retries are not long over.
 * So one bad message among good ones changes nothing, and a failure between two far retries does not come and go.
 */
export const deliveringVerdict = (tally: Tally, now: number): Verdict<'Delivering'> => {
  const { failing, lastFailure, lastSuccess, failingUntil } = tally
  if (failing === 0 || lastFailure === undefined || now - lastSuccess <= windowMs || now > failingUntil) {
    return verdict(
      'Delivering',
      'True',
      'Delivering',
      lastSuccess === 0 ? 'Ready to deliver' : 'Messages are delivered',
    )
  }
  const since = lastSuccess === 0 ? '' : ` since the last success at ${new Date(lastSuccess).toISOString()}`
  const what = failing === 1 ? `The only attempt${since} failed` : `All ${failing} attempts${since} failed`
  return verdict('Delivering', 'False', 'AllAttemptsFailing', `${what}: ${outcomeText(lastFailure.outcome)}`)
}

type DeliveryStatus = NonNullable<NonNullable<Subscription['status']>['delivery']>

/** The tally as the `status.delivery` of a Subscription: counts that move with every message keep two digits. */
export const deliveryStatus = (tally: Tally): DeliveryStatus => {
  const counts = {
    delivered: Number(tally.delivered.toPrecision(2)),
    retried: Number(tally.retried.toPrecision(2)),
    deadLettered: Object.values(tally.deadLettered).reduce((sum, each) => sum + each, 0),
  }
  if (tally.lastFailure === undefined) return counts
  const { time, outcome } = tally.lastFailure
  return {
    ...counts,
    lastFailure: {
      time: new Date(time).toISOString(),
      ...(outcome.kind === 'answered' ? { statusCode: outcome.status } : {}),
      reason: reasonOf(outcome),
      message: outcomeText(outcome).slice(0, 256),
    },
  }
}
