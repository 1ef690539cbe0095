import { type Verdict, verdict } from '../api/conditions.ts'
import type { Subscription } from '../api/kinds/subscription.ts'
import { type Outcome, outcomeText, reasonOf } from './attempt/outcome.ts'
import type { DeadLetterReason, Decision } from './decide.ts'

/** How the deliveries of one subscription went since this process began to deliver it. Times are ms since 1970. */
export type DeliveryStats = {
  delivered: number
  retried: number
  deadLettered: number
  /** Attempts that failed since the latest success. */
  failing: number
  /** The time that the newest of them is evidence for: see {@link count}. Always after the latest success. */
  failingSince: number
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
  lastSuccess: 0,
  lastFailure: undefined,
})

/** For so long a success is not outweighed by the failures after it. */
const windowMs = 5_000

const aboutTheMessage: ReadonlySet<DeadLetterReason> = new Set(['Rejected', 'Unparsable', 'DeliveryLimit'])

/**
 * Counts one settled message. `outcome` is `undefined` where it was decided upon without an attempt; its first attempt was
 * at `firstAttempt`.
 */
export const count = (
  stats: DeliveryStats,
  outcome: Outcome | undefined,
  decision: Decision,
  firstAttempt: number,
  now: number,
): void => {
  if (decision.do === 'acknowledge') {
    stats.delivered += 1
    succeeded(stats, now)
    return
  }
  if (decision.do === 'postpone' || decision.do === 'isolate' || outcome?.kind === 'abandoned') return
  if (outcome) stats.lastFailure = failureOf(outcome, now)
  else if (decision.do === 'dead-letter')
    stats.lastFailure = { time: now, reason: decision.reason, message: decision.message }
  if (decision.do === 'dead-letter') stats.deadLettered += 1
  if (decision.do === 'retry') stats.retried += 1
  // A rejected or invalid message is no evidence about the others.
  if (decision.do === 'dead-letter' && aboutTheMessage.has(decision.reason)) return
  // Nor is an error answered once more to a message, when others have succeeded since its first attempt.
  const since = outcome?.kind === 'answered' ? firstAttempt : now
  if (since <= stats.lastSuccess) return
  stats.failing += 1
  stats.failingSince = Math.max(stats.failingSince, since)
}

/** The subscriber has answered 2xx: failures of before are no evidence any more. */
export const succeeded = (stats: DeliveryStats, now: number): void => {
  stats.lastSuccess = now
  forgetFailures(stats)
}

/** What failed until now says nothing about what comes, as after a change of the subscription. */
export const forgetFailures = (stats: DeliveryStats): void => void Object.assign(stats, noFailures)

/** The same counts, as those of a process that is gone: whether delivery works is for others to say. */
export const withoutFailures = (stats: DeliveryStats): DeliveryStats => ({ ...stats, ...noFailures })

const noFailures = { failing: 0, failingSince: 0 } as const

const failureOf = (outcome: Outcome, time: number): LastFailure => ({
  time,
  ...(outcome.kind === 'answered' ? { statusCode: outcome.status } : {}),
  reason: reasonOf(outcome),
  message: outcomeText(outcome),
})

/**
 * The stats of several processes as one, independent of their order. A success in one process clears the failures before
 * it in all others.
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
  for (const { failing, failingSince } of all) {
    if (failingSince <= merged.lastSuccess) continue
    merged.failing += failing
    merged.failingSince = Math.max(merged.failingSince, failingSince)
  }
  return merged
}

const later = (a: LastFailure | undefined, b: LastFailure | undefined): LastFailure | undefined => {
  if (a === undefined || b === undefined) return a ?? b
  if (a.time !== b.time) return a.time < b.time ? b : a
  return textOf(a) < textOf(b) ? b : a
}

const textOf = ({ message, reason, statusCode }: LastFailure): string => JSON.stringify([message, reason, statusCode])

/** Whether there is no attempt to judge by. */
export const isUntried = ({ failing, lastSuccess }: DeliveryStats): boolean => failing === 0 && lastSuccess === 0

/**
 * Whether delivery works: not when attempts failed and none succeeded since, nor in the last 5 s. So one bad message among
 * good ones changes nothing, and after failures only a success says that it works: not time, nor that nothing is left to try.
 */
export const deliveringVerdict = (stats: DeliveryStats, now: number): Verdict<'Delivering'> => {
  const { failing, lastFailure, lastSuccess } = stats
  if (failing === 0 || lastFailure === undefined || now - lastSuccess <= windowMs) {
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

/** The stats as `status.delivery` of a Subscription. Counts that change with every message are rounded to two digits. */
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
