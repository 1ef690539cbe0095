import type { Finding } from './check.ts'
import { finding } from './fates.ts'
import {
  begunAt,
  disturbing,
  hiding,
  isKnown,
  isSuccess,
  type Journey,
  type Journeys,
  lettersOf,
  type Try,
} from './journeys.ts'
import { toleranceMs } from './repeats.ts'

/** Rules about attempts: how many, none left out, and when. */

export const tooMany = ({ all }: Journeys): Finding[] =>
  all.flatMap((journey) => {
    const { terms, tries, id } = journey
    const most = tries.reduce((most, { request }) => Math.max(most, request.attempt), 0)
    if (most <= terms.maxAttempts) return []
    return [finding(journey, 'too-many-attempts', `${id} was tried ${most} times, ${terms.maxAttempts} are allowed`)]
  })

/** Each attempt that is counted was made: the subscriber saw it, unless a disturbance kept it from that. */
export const skipped = (journeys: Journeys): Finding[] =>
  journeys.all.filter(isKnown).flatMap((journey) => {
    const seen = new Set([0])
    let since = begunAt(journey)
    const isLeftOut = (attempt: number, until: number): boolean =>
      !seen.has(attempt) && !isKeptFrom(journeys, journey, since, until)
    const leftOut = (attempt: number): Finding[] => {
      const what = attempt > 0 ? `attempt ${attempt} of ${journey.id}` : journey.id
      return [finding(journey, 'skipped', `${what} was counted, and not made`)]
    }
    for (const { request } of journey.tries) {
      if (isLeftOut(request.attempt - 1, request.at)) return leftOut(request.attempt - 1)
      // What kept it from the subscriber kept it from there for all copies.
      seen.add(request.attempt - 1).add(request.attempt)
      since = request.at
    }
    const last = lettersOf(journey).find(({ letter, at }) => letter && isLeftOut(letter.attempts, at))
    return last?.letter ? leftOut(last.letter.attempts) : []
  })

/** Whether a request may not have reached its subscriber. */
const isKeptFrom = (...of: Parameters<typeof disturbing>): boolean =>
  disturbing(...of).some(({ isGentle, hides }) => !isGentle || hides === 'requests')

/** Nothing is delivered while a subscription is suspended. */
export const suspended = ({ all }: Journeys): Finding[] =>
  all.flatMap((journey) => {
    const { terms, tries, id } = journey
    const early = tries.find(({ request }) => terms.isSuspended?.(request.at))
    if (early === undefined) return []
    return [finding(journey, 'suspended', `${id} was delivered at ${early.request.at}, while it was suspended`)]
  })

/** The next attempt begins no earlier than its delay after the end of the one before, as the subscriber saw it. */
export const cutShort = (journeys: Journeys): Finding[] =>
  journeys.all.flatMap((journey) => {
    const next = new Map<number, { readonly from: number; readonly at: number }>()
    for (const one of journey.tries) {
      const { attempt, at } = one.request
      const due = next.get(attempt - 1)
      const early = due === undefined ? 0 : due.at - at
      if (due && early > toleranceMs && hiding('times', journeys, journey, due.from, at).length === 0) {
        const text = `attempt ${attempt} of ${journey.id} came ${early.toFixed(0)} ms too early`
        return [finding(journey, 'cut-short', text)]
      }
      const dueNext = nextAt(journey, one)
      if (dueNext < (next.get(attempt)?.at ?? Number.POSITIVE_INFINITY)) next.set(attempt, { from: at, at: dueNext })
    }
    return []
  })

/** When the attempt after this one may begin. An answer may have been meant for an attempt that was over. */
const nextAt = ({ terms }: Journey, { request, answer }: Try): number => {
  const end = isSuccess(answer) ? request.at : (answer?.at ?? request.at)
  return end + Math.max(terms.delayMs(request.attempt, end), answer?.retryAfterMs ?? 0)
}
