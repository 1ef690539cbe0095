import { type Verdict, verdict } from '../../api/conditions.ts'
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

/** What there is to say of dead letters, where the policy wants an alert: at so many, or at one so old. `now` is in ms since 1970. */
export const deadLettersAlert = ({ queue, count, policy, found }: HeldLetters, now: number): Verdict | undefined => {
  const { depth = 1, oldestAge } = policy?.spec.alert ?? {}
  const text = deadLettersText(queue, found)
  if (count >= depth) return verdict('DeadLettersPresent', 'True', 'DeadLetters', text)
  const oldest = found?.oldest
  if (count === 0 || oldestAge === undefined || oldest === undefined) return undefined
  if (now - Date.parse(oldest) < milliseconds(oldestAge)) return undefined
  return verdict(
    'DeadLettersPresent',
    'True',
    'OldDeadLetters',
    `${text}; the oldest since ${oldest}, over ${oldestAge} ago`,
  )
}
