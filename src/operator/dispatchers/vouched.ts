import { type Condition, stamp, verdict } from '../../api/conditions.ts'
import type { Subscription } from '../../api/kinds/subscription.ts'
import { withReady } from '../../api/readiness.ts'

const find = ({ status }: Subscription, type: string): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type)

/** Whether a dispatcher has yet to say what it makes of the latest change. */
export const awaitsDispatcher = (subscription: Subscription): boolean =>
  (find(subscription, 'Delivering')?.observedGeneration ?? 0) < subscription.metadata.generation

/** Whether the operator has declared the latest change, so that a dispatcher can deliver it. */
export const isDeclared = (subscription: Subscription): boolean => {
  const programmed = find(subscription, 'Programmed')
  return programmed?.status === 'True' && programmed.observedGeneration === subscription.metadata.generation
}

/**
 * What the dispatchers' conditions become while none of them vouches for it: whether it delivers is not known, and so it
 * is not Ready. `undefined` where it says so already.
 */
export const unvouched = (subscription: Subscription, message: string, now: Date): readonly Condition[] | undefined => {
  const { status, metadata } = subscription
  const said = find(subscription, 'Delivering')
  if (said?.reason === 'NoDispatcher' && said.message === message && said.observedGeneration === metadata.generation)
    return undefined
  const before = status?.conditions ?? []
  const unknown = verdict('Delivering', 'Unknown', 'NoDispatcher', message)
  const suspended = before.filter(({ type }) => type === 'Suspended')
  return withReady(subscription, [...stamp([unknown], before, metadata.generation, now), ...suspended], now)
}
