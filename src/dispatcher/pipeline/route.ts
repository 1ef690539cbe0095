import type { Subscription } from '../../api/kinds/subscription.ts'
import type { Target } from '../../delivery/attempt/target.ts'
import type { Terms } from '../../delivery/terms.ts'

/** How the messages of one subscription go: everything that delivering them needs to know. */
export type Route = {
  readonly id: string
  readonly subscription: Subscription
  readonly queue: string
  readonly deadLetterQueue: string
  readonly terms: Terms
  readonly target: Target
  /** Two routes with the same key deliver alike. Any change of the resource revives one that its subscriber left. */
  readonly key: string
}
