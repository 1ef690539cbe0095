import { type Subscription, subscription } from '../api/kinds/subscription.ts'
import { readyOf } from '../api/readiness.ts'
import { idOf, type Resource } from '../api/resource.ts'
import { onRelevantChange } from '../reconcile/fingerprints.ts'
import { gather } from '../store/gather.ts'
import type { Store } from '../store/store.ts'
import { type Attached, resolveReferences } from '../topology/references.ts'
import { settleMs } from '../topology/retire.ts'
import { membersOf } from './topology/unreachable.ts'

/** Changes that arrive together are looked at together: following the references of all resources is not free. */
const gatherMs = 50

/**
 * Calls `wake` for each broker whose resources changed in a way that matters, and with `undefined` for what belongs to no
 * broker; for all of them at the start. Statuses that the operator wrote itself do not matter. Returns what stops it.
 */
export const wakeOn = (store: Store, wake: (brokerKey: string | undefined, delayMs?: number) => void): (() => void) => {
  let brokers = new Map<string, { meaning: string; deadLettered: number }>()

  return onRelevantChange(
    store,
    (resource) => `${meaningOf(resource)} ${deadLetteredBy(resource)}`,
    gatherMs,
    (secrets) => {
      const before = brokers
      brokers = new Map(
        [...resolveReferences(gather(store)).attached].map(([key, attached]) => [key, printOf(attached)]),
      )
      for (const [key, { meaning, deadLettered }] of brokers) {
        const old = before.get(key)
        if (secrets || old?.meaning !== meaning) wake(key)
        // RabbitMQ's counts are up to five seconds old, so a dead letter shows in them only later.
        if (old && old.deadLettered !== deadLettered) wake(key, settleMs)
      }
      for (const key of before.keys()) if (!brokers.has(key)) wake(key)
      wake(undefined)
    },
  )
}

const meaningOf = (resource: Resource): string => {
  const { uid, generation, deletionTimestamp } = resource.metadata
  return [idOf(resource), uid, generation, deletionTimestamp, ...deliveryOf(resource)].join(' ')
}

/**
 * What is not delivered any more may have lost its queue. What is delivered needs no look at the broker: the dispatcher
 * has made it Ready, unless it knew less of the other conditions.
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

const printOf = (attached: Attached) => {
  const policies = [...attached.queues, ...attached.subscriptions].flatMap(({ policy }) => policy ?? [])
  const all = [...membersOf(attached), ...new Set<Resource>(policies)]
  return {
    meaning: all.map(meaningOf).join('\n'),
    deadLettered: all.reduce((sum, resource) => sum + deadLetteredBy(resource), 0),
  }
}
