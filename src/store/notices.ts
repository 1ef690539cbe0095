import { type Condition, decidingReady } from '../api/conditions.ts'
import type { Notice } from './store.ts'

/** What Ready follows from, as the operator sees it, the causes before their consequences. */
const steady = [...decidingReady('operator')]

/** What somebody asked for is no fault. */
const asAsked: ReadonlySet<string> = new Set(['Deleting', 'Suspended'])

const goodWhileTrue: ReadonlySet<string> = new Set(['Ready', 'Progressing', 'Complete'])

/** Said by other conditions as well. */
const repeating: ReadonlySet<string> = new Set(['Reconciling', 'Stalled'])

/**
 * The notices that a change of a resource's conditions is worth: that it became Ready, or not Ready, or not Ready for another
 * cause; and that a problem appeared or was cleared.
 */
export const noticesOf = (before: readonly Condition[], after: readonly Condition[]): Notice[] => {
  const appeared = after.flatMap((condition): Notice[] => {
    const { type, status, message } = condition
    const old = before.find((one) => one.type === type)
    const reason = causeOf(condition, after)
    if (steady.includes(type) || repeating.has(type) || (old?.status === status && causeOf(old, before) === reason))
      return []
    // What was only just declared cannot have been delivered yet.
    if (old?.status !== 'True' && reason === 'NotDelivering') return []
    // How a job ended is said by another condition.
    if (type === 'Progressing' && reason === 'Ended') return []
    const good = (goodWhileTrue.has(type) && status === 'True') || asAsked.has(reason)
    return [{ type: good ? 'Normal' : 'Warning', reason, message }]
  })
  const cleared = before
    .filter(({ type }) => !repeating.has(type) && !after.some((condition) => condition.type === type))
    .map(({ type }): Notice => ({ type: 'Normal', reason: `No${type}`, message: `${type} cleared` }))
  return [...appeared, ...cleared]
}

/** Why a condition is as it is. Ready only says which of the others is not True: for it, why that one is not. */
const causeOf = ({ type, status, reason }: Condition, all: readonly Condition[]): string => {
  if (type !== 'Ready' || status === 'True') return reason
  const causes = steady.flatMap((each) => all.find((one) => one.type === each && one.status !== 'True') ?? [])
  return causes[0]?.reason ?? reason
}
