import { broker } from '../../api/kinds/broker.ts'
import { type Subscription, subscription } from '../../api/kinds/subscription.ts'
import { readyOf } from '../../api/readiness.ts'
import { idOf, type Resource } from '../../api/resource.ts'
import { removalAnnotation } from '../../topology/health/removals.ts'

/** What of a resource matters to the operator, as text to compare. */
export const fingerprintOf = (resource: Resource): string => `${wantedBy(resource)} ${lettersBy(resource)}`

/** The same without counts: when this changes, the broker is compared with the resources at once. */
export const wantedBy = (resource: Resource): string => {
  const { uid, generation, deletionTimestamp, annotations } = resource.metadata
  const removal = resource.kind === broker.kind ? annotations?.[removalAnnotation] : undefined
  return [idOf(resource), uid, generation, deletionTimestamp, removal, ...deliveryOf(resource)].join(' ')
}

/** What a dispatcher says of the dead letters of a Subscription: when this changes, there are more or fewer of them. */
export const lettersBy = (resource: Resource): string => {
  const { delivery, deadLetters } = (resource as Partial<Subscription>).status ?? {}
  const { scanned, groups = [] } = deadLetters ?? {}
  return `${delivery?.deadLettered ?? 0} ${scanned} ${groups[0]?.group} ${groups[0]?.count}`
}

/**
 * A Subscription that is no longer delivered may have lost its queue. One that is delivered needs no reconcile: the
 * dispatcher has made it Ready, unless it did not know the other conditions yet.
 */
const deliveryOf = ({ kind, status }: Resource): readonly (string | undefined)[] => {
  if (kind !== subscription.kind) return []
  const all = status?.conditions ?? []
  const find = (type: string) => all.find((condition) => condition.type === type)
  const delivering = find('Delivering')
  const due = readyOf(all)?.ready
  return [delivering?.status === 'False' ? delivering.reason : '', due?.reason === find('Ready')?.reason ? '' : 'due']
}
