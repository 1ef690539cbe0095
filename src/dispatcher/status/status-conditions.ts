import { isDeepStrictEqual } from 'node:util'
import { type Condition, decidingReady, stamp, type Verdict, writtenBy } from '../../api/conditions.ts'
import type { Subscription } from '../../api/kinds/subscription.ts'
import { generationOf, withReady } from '../../api/readiness.ts'
import { noticesOf } from '../../store/notices.ts'
import type { Notice } from '../../store/store.ts'
import type { Finding } from './finding.ts'

/** The conditions that the dispatcher writes; Ready together with the operator. */
const owned = writtenBy('dispatcher', 'both')
/** Those that Ready follows from: it says why they are as they are. */
const causes = decidingReady('dispatcher')

const notIn = (types: ReadonlySet<string>, conditions: readonly Condition[] = []): Condition[] =>
  conditions.filter(({ type }) => !types.has(type))

/** The conditions to write: the verdicts, and Ready, which follows from them and from the operator's conditions. */
export const conditionsOf = (
  subscription: Subscription,
  verdicts: readonly Verdict[],
  generation: number,
  now: Date,
): readonly Condition[] =>
  withReady(subscription, stamp(verdicts, subscription.status?.conditions, generation, now), now)

/** What is worth an Event when the status gets these conditions. */
export const noticesFor = ({ status }: Subscription, conditions: readonly Condition[]): Notice[] => {
  const after = [...notIn(owned, status?.conditions), ...notIn(causes, conditions)]
  return noticesOf(notIn(causes, status?.conditions), after)
}

/** Whether the status has exactly this of the dispatcher already, as after another process wrote it. */
export const hasAlready = (
  { status }: Subscription,
  conditions: readonly Condition[],
  delivery: Finding['delivery'],
): boolean => {
  const own = status?.conditions?.filter(({ type }) => owned.has(type)) ?? []
  const byType = (list: readonly Condition[]) => new Map(list.map((condition) => [condition.type, condition]))
  const { observedGeneration = status?.observedGeneration } = generationOf(conditions)
  if (status?.observedGeneration !== observedGeneration) return false
  return isDeepStrictEqual(status?.delivery, delivery) && isDeepStrictEqual(byType(own), byType(conditions))
}
