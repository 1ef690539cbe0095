import { type Condition, stamp, verdict, writtenBy } from '../../api/conditions.ts'
import type { Subscription } from '../../api/kinds/subscription.ts'
import { readyOf } from '../../api/readiness.ts'

const own = writtenBy('dispatcher')

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
 * What the dispatchers' part of a status becomes while none of them vouches for it: whether it delivers is not known, and so it
 * is not Ready. `undefined` where it says so already.
 */
export const unvouched = (
  subscription: Subscription,
  message: string,
  now: Date,
): Required<Pick<NonNullable<Subscription['status']>, 'conditions'>> | undefined => {
  const { spec, status, metadata } = subscription
  const said = find(subscription, 'Delivering')
  if (said?.reason === 'NoDispatcher' && said.message === message && said.observedGeneration === metadata.generation)
    return undefined
  const before = status?.conditions ?? []
  const unknown = verdict('Delivering', 'Unknown', 'NoDispatcher', message)
  const suspended = before.filter(({ type }) => type === 'Suspended')
  const conditions = [...stamp([unknown], before, metadata.generation, now), ...suspended]
  const others = before.filter(({ type }) => !own.has(type))
  const due = readyOf(spec, [...others, ...conditions])
  return { conditions: due ? [...conditions, ...stamp([due.ready], before, due.generation, now)] : conditions }
}
