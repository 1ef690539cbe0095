import type { Subscription } from '../../api/kinds/subscription.ts'
import type { Target } from '../../delivery/attempt/target.ts'
import type { Whence } from '../../delivery/message/history.ts'
import type { Terms } from '../../delivery/terms.ts'

/** Everything that the delivery of one subscription's messages needs to know. */
export type Route = {
  readonly id: string
  readonly subscription: Subscription
  readonly queue: string
  readonly whence: Whence
  readonly deadLetterQueue: string
  readonly terms: Terms
  readonly target: Target
  /** Two routes with the same key deliver alike. Any change of the resource changes it, so it also resumes after a 410. */
  readonly key: string
}
