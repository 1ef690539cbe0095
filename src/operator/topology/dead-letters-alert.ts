import { type Reason, type Verdict, verdict } from '../../api/conditions.ts'
import { milliseconds } from '../../api/duration.ts'
import type { DeadLetterPolicy } from '../../api/kinds/dead-letter-policy.ts'
import type { DeadLettersStatus } from '../../api/kinds/status-dead-letters.ts'
import { deadLettersText } from './dead-letters-text.ts'

export type HeldLetters = {
  readonly queue: string
  /** How many messages are in the queue. */
  readonly count: number
  readonly policy: DeadLetterPolicy | undefined
  /** What a dispatcher found in it when it looked last. */
  readonly found: DeadLettersStatus | undefined
}

/** Why the policy wants an alert, where it does: at so many, or at one so old. `now` is in ms since 1970. */
export const alertReason = (
  { count, policy, found }: HeldLetters,
  now: number,
): Reason<'DeadLettersPresent'> | undefined => {
  const { depth = 1, oldestAge } = policy?.spec.alert ?? {}
  if (count >= depth) return 'DeadLetters'
  if (count === 0 || oldestAge === undefined || found?.oldest === undefined) return undefined
  return now - Date.parse(found.oldest) < milliseconds(oldestAge) ? undefined : 'OldDeadLetters'
}

/** What there is to say of dead letters, where the policy wants an alert. */
export const deadLettersAlert = (held: HeldLetters, now: number): Verdict | undefined => {
  const { queue, policy, found } = held
  const reason = alertReason(held, now)
  if (reason === undefined) return undefined
  const age = `; the oldest since ${found?.oldest}, over ${policy?.spec.alert.oldestAge} ago`
  const text = `${deadLettersText(queue, found)}${reason === 'OldDeadLetters' ? age : ''}`
  return verdict('DeadLettersPresent', 'True', reason, text)
}
