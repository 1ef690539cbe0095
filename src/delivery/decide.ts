import { durationText } from '../api/duration.ts'
import type { Attempt } from './attempt/attempt.ts'
import { type Outcome, outcomeText } from './attempt/outcome.ts'
import type { History } from './message/history.ts'
import type { Terms } from './terms.ts'

/**
 * Why a message was given up: `Rejected` and `Gone` by the answer, `Exhausted` after `maxAttempts`, `Expired` because the
 * next attempt would come after `maxAge` or after its time to live, `Unparsable` because it cannot be turned into a request, `DeliveryLimit` because
 * no dispatcher finished it.
 */
export type DeadLetterReason = 'Rejected' | 'Gone' | 'Exhausted' | 'Expired' | 'Unparsable' | 'DeliveryLimit'

/** What to do with a message. */
export type Decision =
  | { readonly do: 'acknowledge' }
  /** Into a delay, as an attempt made. `notBefore` (ms since 1970) is set where one delay does not end the wait. */
  | { readonly do: 'retry'; readonly delayMs: number; readonly notBefore?: number }
  /** Into a delay once more, unchanged: it came back before its time. `wholeMs` is what it has to wait since its last attempt. */
  | { readonly do: 'postpone'; readonly delayMs: number; readonly wholeMs: number }
  /** Once more into its queue as a suspect, which is tried alone: at once, or after a delay. */
  | { readonly do: 'isolate'; readonly deaths: number; readonly delayMs: number }
  | { readonly do: 'dead-letter'; readonly reason: DeadLetterReason; readonly message: string }
  /** Back to its queue, and nothing more is taken from there: the subscriber is gone for good. */
  | { readonly do: 'suspend' }
  /** Back to its queue, as if it had not been tried. */
  | { readonly do: 'requeue' }

/** A decision that needs no attempt. */
export type DecisionBefore = Extract<Decision, { do: 'postpone' | 'isolate' | 'dead-letter' }>

const acknowledge: Decision = { do: 'acknowledge' }
const suspend: Decision = { do: 'suspend' }
const requeue: Decision = { do: 'requeue' }

/**
 * A message redelivered this often is a suspect: it may be what ends its dispatcher, or was returned for other reasons each
 * time. So it is tried alone.
 */
export const returnLimit = 20
/** A suspect that came back this often from being tried alone is not tried again. */
export const deathLimit = 3

/**
 * Decides at `now` (ms since 1970), before an attempt; `undefined` where the message is to be tried. `outlived`: that it came
 * back this time is known not to be its doing.
 */
export const decideBefore = (
  history: History,
  terms: Terms,
  now: number,
  outlived = false,
): DecisionBefore | undefined => {
  if (history.expiresAt !== undefined && history.expiresAt <= now) {
    return deadLetter('Expired', `The time to live of the message ended at ${isoOf(history.expiresAt)}`)
  }
  const { notBefore, lastAttempt = now } = history
  if (notBefore !== undefined && notBefore > now) {
    const delayMs = notBefore - now
    // A longer wait is not one that these terms would ask for, so it is over.
    const longestMs = Math.max(terms.retryAfterMaxMs, ...terms.scheduleMs)
    if (delayMs <= longestMs)
      return { do: 'postpone', delayMs, wholeMs: Math.max(delayMs, Math.min(notBefore - lastAttempt, longestMs)) }
  }
  if (history.deaths === undefined)
    return history.redeliveries < returnLimit ? undefined : { do: 'isolate', deaths: 0, delayMs: 0 }
  const deaths = deathsOf(history, outlived)
  if (deaths < deathLimit) return undefined
  return deadLetter('DeliveryLimit', `Came back ${deaths} times from being tried alone: no dispatcher finished it`)
}

/** How often a suspect came back from being tried alone. */
const deathsOf = ({ deaths = 0, redeliveries }: History, outlived: boolean): number =>
  deaths + Math.max(0, redeliveries - (outlived ? 1 : 0))

/** Decides about a suspect that cannot be tried now: it comes again after a while. */
export const putAside = (history: History, outlived: boolean): Decision & { do: 'isolate' } => ({
  ...{ do: 'isolate', deaths: deathsOf(history, outlived), delayMs: asideMs },
})

const asideMs = 5_000

/** Decides after an attempt that ended at `now` (ms since 1970). */
export const decide = (outcome: Outcome, attempt: Attempt, terms: Terms, now: number): Decision => {
  switch (outcome.kind) {
    case 'delivered':
      return acknowledge
    case 'abandoned':
      return requeue
    case 'unsendable':
      return deadLetter('Unparsable', outcome.message)
    case 'failed':
      return again(outcome, attempt, terms, now, 0)
    case 'answered':
      switch (terms.consequences[outcome.status]) {
        case 'suspend':
          return suspend
        case 'give-up':
          return deadLetter('Gone', outcomeText(outcome))
        case 'dead-letter':
          return deadLetter('Rejected', outcomeText(outcome))
        default:
          return again(outcome, attempt, terms, now, Math.min(outcome.retryAfterMs ?? 0, terms.retryAfterMaxMs))
      }
  }
}

const again = (outcome: Outcome, attempt: Attempt, terms: Terms, now: number, askedMs: number): Decision => {
  const { number, history, expiresAt } = attempt
  if (number >= terms.maxAttempts) {
    const tried = number === 1 ? 'after 1 attempt' : `after ${number} attempts`
    return deadLetter('Exhausted', `${outcomeText(outcome)}; given up ${tried}`)
  }
  const { scheduleMs } = terms
  const scheduled = scheduleMs[Math.min(number, scheduleMs.length) - 1] ?? 0
  const delayMs = Math.max(scheduled, askedMs)
  if (now + delayMs > (history.firstAttempt ?? now) + terms.maxAgeMs) {
    const age = durationText(terms.maxAgeMs)
    return deadLetter(
      'Expired',
      `${outcomeText(outcome)}; the next attempt would come more than ${age} after the first`,
    )
  }
  if (expiresAt !== undefined && now + delayMs >= expiresAt) {
    return deadLetter(
      'Expired',
      `${outcomeText(outcome)}; the time to live of the message ends before the next attempt`,
    )
  }
  return { do: 'retry', delayMs }
}

const deadLetter = (reason: DeadLetterReason, message: string): Extract<Decision, { do: 'dead-letter' }> => ({
  do: 'dead-letter',
  reason,
  message,
})

const isoOf = (time: number): string => new Date(time).toISOString()
