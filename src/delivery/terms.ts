import { milliseconds } from '../api/duration.ts'
import type { Subscription } from '../api/kinds/subscription.ts'

/** How a message goes on after an answer. */
export type Consequence = 'retry' | 'dead-letter' | 'suspend' | 'give-up'

/** The `spec.delivery` of a subscription, compiled once. */
export type Terms = {
  readonly timeoutMs: number
  readonly concurrency: number
  /** The wait before the second, third, … attempt; the last one repeats. */
  readonly scheduleMs: readonly number[]
  /** The first attempt included. */
  readonly maxAttempts: number
  readonly maxAgeMs: number
  readonly retryAfterMaxMs: number
  /** By status code. */
  readonly consequences: readonly Consequence[]
}

/** Compiles `spec.delivery`: durations to milliseconds, lists of status codes to a table. */
export const termsOf = ({ spec }: Subscription): Terms => {
  const { timeout, concurrency, retry, onGone } = spec.delivery
  return {
    timeoutMs: milliseconds(timeout),
    concurrency,
    scheduleMs: retry.schedule.map(milliseconds),
    maxAttempts: retry.maxAttempts,
    maxAgeMs: milliseconds(retry.maxAge),
    retryAfterMaxMs: milliseconds(retry.retryAfterMax),
    consequences: consequencesOf(retry.retryOn, retry.deadLetterOn, onGone),
  }
}

/** An exact code takes precedence over a class, `retryOn` over `deadLetterOn`; `onGone` decides 410 unless it is listed exactly. */
const consequencesOf = (
  retryOn: readonly string[],
  deadLetterOn: readonly string[],
  onGone: 'Suspend' | 'DeadLetter',
): Consequence[] =>
  Array.from({ length: 600 }, (_, status): Consequence => {
    const exact = String(status)
    const asClass = `${exact[0]}xx`
    if (retryOn.includes(exact)) return 'retry'
    if (deadLetterOn.includes(exact)) return 'dead-letter'
    if (status === 410) return onGone === 'Suspend' ? 'suspend' : 'give-up'
    if (retryOn.includes(asClass)) return 'retry'
    return deadLetterOn.includes(asClass) ? 'dead-letter' : 'retry'
  })
