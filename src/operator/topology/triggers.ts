import { type Subscription, subscription } from '../../api/kinds/subscription.ts'
import { readyOf } from '../../api/readiness.ts'
import { idOf, type Resource } from '../../api/resource.ts'
import type { Wake } from '../../reconcile/controller.ts'
import { onRelevantChange } from '../../reconcile/fingerprints.ts'
import type { Store } from '../../store/store.ts'
import { type Attached, membersOf } from '../../topology/references.ts'
import { settleMs } from '../../topology/retire.ts'

/** Changes that arrive together are looked at together: following the references of all resources is not free. */
export const gatherMs = 50

/**
 * Calls `wake` for each broker whose resources changed in a way that matters, and for each that is gone; for all of them
 * at the start. Statuses that the operator wrote itself do not matter. Returns what stops it.
 */
export const wakeOn = (store: Store, attached: () => ReadonlyMap<string, Attached>, wake: Wake): (() => void) => {
  let brokers = new Map<string, { fingerprint: string; deadLettered: number }>()

  return onRelevantChange(
    store,
    (resource) => `${fingerprintOf(resource)} ${deadLetteredBy(resource)}`,
    gatherMs,
    (secrets) => {
      const before = brokers
      brokers = new Map([...attached()].map(([key, each]) => [key, ofAll(each)]))
      for (const [key, { fingerprint, deadLettered }] of brokers) {
        const old = before.get(key)
        if (secrets || old?.fingerprint !== fingerprint) wake(key)
        // RabbitMQ's counts are up to five seconds old, so a dead letter shows in them only later.
        if (old && old.deadLettered !== deadLettered) wake(key, settleMs)
      }
      for (const key of before.keys()) if (!brokers.has(key)) wake(key)
    },
  )
}

/** What of a resource matters to the operator. */
export const fingerprintOf = (resource: Resource): string => {
  const { uid, generation, deletionTimestamp } = resource.metadata
  return [idOf(resource), uid, generation, deletionTimestamp, ...deliveryOf(resource)].join(' ')
}

/**
 * What is not delivered any more may have lost its queue. What is delivered needs no reconcile: the dispatcher has
 * made it Ready, unless it knew less of the other conditions.
 */
const deliveryOf = ({ kind, spec, status }: Resource): readonly (string | undefined)[] => {
  if (kind !== subscription.kind) return []
  const all = status?.conditions ?? []
  const find = (type: string) => all.find((condition) => condition.type === type)
  const delivering = find('Delivering')
  const due = readyOf(spec as Subscription['spec'], all)?.ready
  return [delivering?.status === 'False' ? delivering.reason : '', due?.reason === find('Ready')?.reason ? '' : 'due']
}

const deadLetteredBy = (resource: Resource): number =>
  (resource as Partial<Subscription>).status?.delivery?.deadLettered ?? 0

const ofAll = (attached: Attached) => {
  const policies = [...attached.queues, ...attached.subscriptions].flatMap(({ policy }) => policy ?? [])
  const all = [...membersOf(attached), ...new Set<Resource>(policies)]
  return {
    fingerprint: all.map(fingerprintOf).join('\n'),
    deadLettered: all.reduce((sum, resource) => sum + deadLetteredBy(resource), 0),
  }
}
