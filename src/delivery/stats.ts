import { type Verdict, verdict } from '../api/conditions.ts'
import type { Subscription } from '../api/kinds/subscription.ts'
import { type Outcome, outcomeText, reasonOf } from './attempt/outcome.ts'
import type { DeadLetterReason, Decision } from './decide.ts'

/** What became of the messages of one subscription since a process began to deliver it. Times are ms since 1970. */
export type DeliveryStats = {
  delivered: number
  retried: number
  deadLettered: number
  /** Attempts that failed since the latest success. */
  failing: number
  /** When the newest of them was evidence: see {@link count}. Always after the latest success. */
  failingSince: number
  /** Until when they say how things are: the retries that they led to must have shown by then. */
  failingUntil: number
  lastSuccess: number
  lastFailure: LastFailure | undefined
}

export type LastFailure = {
  readonly time: number
  /** Where there was an answer. */
  readonly statusCode?: number
  readonly reason: string
  readonly message: string
}

export const newStats = (): DeliveryStats => ({
  delivered: 0,
  retried: 0,
  deadLettered: 0,
  failing: 0,
  failingSince: 0,
  failingUntil: 0,
  lastSuccess: 0,
  lastFailure: undefined,
})

/** How long a success or a failure speaks for the subscription. */
const windowMs = 5_000

const aboutTheMessage: ReadonlySet<DeadLetterReason> = new Set(['Rejected', 'Unparsable', 'DeliveryLimit'])

/** Counts one message that has been settled, after an attempt; its first one was at `firstAttempt`. */
export const count = (
  stats: DeliveryStats,
  outcome: Outcome,
  decision: Decision,
  firstAttempt: number,
  now: number,
): void => {
  if (decision.do === 'acknowledge') {
    stats.delivered += 1
    stats.lastSuccess = now
    endFailing(stats)
    return
  }
  if (outcome.kind === 'abandoned') return
  stats.lastFailure = failureOf(outcome, now)
  if (decision.do === 'dead-letter') stats.deadLettered += 1
  if (decision.do === 'retry') stats.retried += 1
  // A subscriber that turns one message down, or a message that is none, says nothing about the others.
  if (decision.do === 'dead-letter' && aboutTheMessage.has(decision.reason)) return
  // Nor does one that is answered an error again, when others have succeeded since its first attempt.
  const since = outcome.kind === 'answered' ? firstAttempt : now
  if (since <= stats.lastSuccess) return
  stats.failing += 1
  stats.failingSince = Math.max(stats.failingSince, since)
  const speaksFor = windowMs + (decision.do === 'retry' ? decision.delayMs : 0)
  stats.failingUntil = Math.max(stats.failingUntil, now + speaksFor)
}

const endFailing = (stats: DeliveryStats): void => {
  stats.failing = 0
  stats.failingSince = 0
  stats.failingUntil = 0
}

const failureOf = (outcome: Outcome, time: number): LastFailure => ({
  time,
  ...(outcome.kind === 'answered' ? { statusCode: outcome.status } : {}),
  reason: reasonOf(outcome),
  message: outcomeText(outcome),
})

/**
 * The all of several processes as one, whatever their order. A success at one of them speaks for the subscription:
 * what failed before it at another is over.
 */
export const mergeStats = (all: readonly DeliveryStats[]): DeliveryStats => {
  const merged = newStats()
  for (const { delivered, retried, deadLettered, lastSuccess, lastFailure } of all) {
    merged.delivered += delivered
    merged.retried += retried
    merged.deadLettered += deadLettered
    merged.lastSuccess = Math.max(merged.lastSuccess, lastSuccess)
    merged.lastFailure = later(merged.lastFailure, lastFailure)
  }
  for (const { failing, failingSince, failingUntil } of all) {
    if (failingSince <= merged.lastSuccess) continue
    merged.failing += failing
    merged.failingSince = Math.max(merged.failingSince, failingSince)
    merged.failingUntil = Math.max(merged.failingUntil, failingUntil)
  }
  return merged
}

const later = (a: LastFailure | undefined, b: LastFailure | undefined): LastFailure | undefined => {
  if (a === undefined || b === undefined) return a ?? b
  if (a.time !== b.time) return a.time < b.time ? b : a
  return textOf(a) < textOf(b) ? b : a
}

const textOf = ({ message, reason, statusCode }: LastFailure): string => JSON.stringify([message, reason, statusCode])

/**
 * Whether delivery works: not when attempts failed, none succeeded in the last 5 s, and their retries are not long over.
 * So one bad message among good ones changes nothing, and a failure between two far retries does not come and go.
 */
export const deliveringVerdict = (stats: DeliveryStats, now: number): Verdict<'Delivering'> => {
  const { failing, lastFailure, lastSuccess, failingUntil } = stats
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
  return verdict('Delivering', 'False', 'AllAttemptsFailing', `${what}: ${lastFailure.message}`)
}

type DeliveryStatus = NonNullable<NonNullable<Subscription['status']>['delivery']>

/** The stats as the `status.delivery` of a Subscription: counts that move with every message keep two digits. */
export const deliveryStatus = ({ delivered, retried, deadLettered, lastFailure }: DeliveryStats): DeliveryStatus => ({
  delivered: Number(delivered.toPrecision(2)),
  retried: Number(retried.toPrecision(2)),
  deadLettered,
  ...(lastFailure
    ? {
        lastFailure: {
          ...lastFailure,
          time: new Date(lastFailure.time).toISOString(),
          message: lastFailure.message.slice(0, 256),
        },
      }
    : {}),
})
