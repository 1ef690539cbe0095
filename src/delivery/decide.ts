import { durationText } from '../api/duration.ts'
import { type Outcome, outcomeText } from './attempt/outcome.ts'
import type { History } from './message/history.ts'
import type { Terms } from './terms.ts'

/**
 * Why a message was given up: `Rejected` and `Gone` by the answer, `Exhausted` after `maxAttempts`, `Expired` because the
 * next attempt would come after `maxAge`, `Unparsable` because it cannot be turned into a request, `DeliveryLimit` because
 * whoever takes it up does not survive it.
 */
export type DeadLetterReason = 'Rejected' | 'Gone' | 'Exhausted' | 'Expired' | 'Unparsable' | 'DeliveryLimit'

/** What to do with a message. */
export type Decision =
  | { readonly do: 'acknowledge' }
  /** `notBefore` (ms since 1970) is there when `Retry-After` asked for more than the schedule. */
  | { readonly do: 'retry'; readonly delayMs: number; readonly notBefore?: number }
  | { readonly do: 'dead-letter'; readonly reason: DeadLetterReason; readonly message: string }
  /** Back to its queue, as if it had not been tried; after `Gone` the subscription is to be suspended. */
  | { readonly do: 'requeue'; readonly reason: 'Gone' | 'Abandoned' }

const acknowledge: Decision = { do: 'acknowledge' }
const gone: Decision = { do: 'requeue', reason: 'Gone' }
const abandoned: Decision = { do: 'requeue', reason: 'Abandoned' }

/** A message that came back this often without an end is not tried again: it may be what kills its dispatcher. */
export const returnLimit = 20

/** Decides before an attempt; `undefined` where the message is to be tried. */
export const refuse = ({ redeliveries }: History): (Decision & { do: 'dead-letter' }) | undefined =>
  redeliveries < returnLimit
    ? undefined
    : deadLetter(
        'DeliveryLimit',
        `The broker took it back ${redeliveries} times from a dispatcher that did not end with it`,
      )

/** Decides after an attempt that ended at `now` (ms since 1970). `history` is of before the attempt. */
export const decide = (outcome: Outcome, history: History, terms: Terms, now: number): Decision => {
  switch (outcome.kind) {
    case 'delivered':
      return acknowledge
    case 'abandoned':
      return abandoned
    case 'unsendable':
      return deadLetter('Unparsable', outcome.message)
    case 'failed':
      return again(outcome, history, terms, now, 0)
    case 'answered':
      switch (terms.consequences[outcome.status]) {
        case 'suspend':
          return gone
        case 'give-up':
          return deadLetter('Gone', outcomeText(outcome))
        case 'dead-letter':
          return deadLetter('Rejected', outcomeText(outcome))
        default:
          return again(outcome, history, terms, now, Math.min(outcome.retryAfterMs ?? 0, terms.retryAfterMaxMs))
      }
  }
}

const again = (outcome: Outcome, history: History, terms: Terms, now: number, askedMs: number): Decision => {
  const attempts = history.attempts + 1
  if (attempts >= terms.maxAttempts) {
    const tried = attempts === 1 ? 'after 1 attempt' : `after ${attempts} attempts`
    return deadLetter('Exhausted', `${outcomeText(outcome)}; given up ${tried}`)
  }
  const { scheduleMs } = terms
  const scheduled = scheduleMs[Math.min(attempts, scheduleMs.length) - 1] ?? 0
  const delayMs = Math.max(scheduled, askedMs)
  if (now + delayMs > (history.firstAttempt ?? now) + terms.maxAgeMs) {
    const age = durationText(terms.maxAgeMs)
    return deadLetter(
      'Expired',
      `${outcomeText(outcome)}; the next attempt would come more than ${age} after the first`,
    )
  }
  return askedMs > scheduled ? { do: 'retry', delayMs, notBefore: now + delayMs } : { do: 'retry', delayMs }
}

const deadLetter = (reason: DeadLetterReason, message: string): Decision & { do: 'dead-letter' } => ({
  do: 'dead-letter',
  reason,
  message,
})
