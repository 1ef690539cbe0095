import type { Condition, ConditionType } from '../api/conditions.ts'
import type { Notice } from './store.ts'

/** What Ready follows from, the causes before their consequences. */
const steady: readonly string[] = ['Accepted', 'ResolvedRefs', 'Connected', 'Programmed'] satisfies ConditionType[]

/**
 * What is worth telling the owner of a resource of a change of its conditions: that it became Ready, or not, or not for
 * another cause; and that a problem appeared or went.
 */
export const noticesOf = (before: readonly Condition[], after: readonly Condition[]): Notice[] => {
  const appeared = after.flatMap((condition): Notice[] => {
    const { type, status, message } = condition
    const old = before.find((one) => one.type === type)
    const reason = causeOf(condition, after)
    if (steady.includes(type) || (old?.status === status && causeOf(old, before) === reason)) return []
    // Nobody can have delivered yet what was only just declared.
    if (old?.status !== 'True' && reason === 'NotDelivering') return []
    const good = type === 'Ready' && status === 'True'
    return [{ type: good ? 'Normal' : 'Warning', reason, message }]
  })
  const mended = before
    .filter(({ type }) => !after.some((condition) => condition.type === type))
    .map(({ type }): Notice => ({ type: 'Normal', reason: `No${type}`, message: `${type} is over` }))
  return [...appeared, ...mended]
}

/** Why a condition is as it is; for Ready, which only says which of the others is False, why that is. */
const causeOf = ({ type, status, reason }: Condition, all: readonly Condition[]): string => {
  if (type !== 'Ready' || status === 'True') return reason
  const causes = steady.flatMap((each) => all.find((one) => one.type === each && one.status !== 'True') ?? [])
  return causes[0]?.reason ?? reason
}
