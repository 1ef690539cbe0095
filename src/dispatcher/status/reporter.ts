import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { generationOf } from '../../api/readiness.ts'
import { atMost } from '../../async/limit.ts'
import type { Store } from '../../store/store.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { mergeObservations } from '../replicas/merge.ts'
import type { Replicas } from '../replicas/replicas.ts'
import type { Observation } from '../replicas/snapshot.ts'
import { type Entry, observationOf } from './entries.ts'
import { type Finding, idleFinding, workerFinding } from './finding.ts'
import type { Observations } from './observations.ts'
import { conditionsOf, hasAlready, noticesFor } from './status-conditions.ts'
import { failed, isOld, mayWrite, newBudget, type WriteBudget, wrote } from './write-budget.ts'

/** The fence is asked right before a write is sent: what waits in a queue would be sent by a process that was paused for a while. */
const atATime = 16

export type ReporterOptions = {
  readonly store: Pick<Store, 'get' | 'applyStatus' | 'record'>
  readonly metrics: Pick<Metrics, 'statusWrites'>
  /** What this replica observes. */
  readonly local: Observations
  /** What the others observe. */
  readonly replicas: Pick<Replicas, 'observations' | 'news'>
  now(): number
}

/** What all replicas found of one generation of a subscription. */
type Found = Finding & { readonly generation: number }

/** Writes what the replicas observe onto the subscriptions. It considers only those that changed. */
export const createReporter = ({ store, metrics, local, replicas, now }: ReporterOptions) => {
  const budgets = new WeakMap<Entry, WriteBudget>()
  const pending = new Set<Entry>()
  const inTurn = atMost(atATime)
  let seen = 0

  const gather = (): void => {
    for (const entry of local.since(seen)) pending.add(entry)
    seen = local.version()
    const news = replicas.news()
    if (news.size === 0) return
    for (const entry of local.since(0)) if (news.has(entry.subscription.metadata.uid)) pending.add(entry)
  }

  const write = async (entry: Entry, current: Subscription, found: Found, at: number): Promise<void> => {
    const { verdicts, delivery, generation } = found
    const fingerprint = fingerprintOf(found)
    const text = JSON.stringify([generation, verdicts, delivery])
    const budget = budgets.get(entry) ?? newBudget
    if (text === budget.text) return
    const conditions = conditionsOf(current, verdicts, generation, new Date(at))
    if (budget.text === undefined && hasAlready(current, conditions, delivery)) {
      budgets.set(entry, { ...budget, text, fingerprint })
      return
    }
    if (!mayWrite(budget, fingerprint, at)) {
      pending.add(entry)
      return
    }
    budgets.set(entry, wrote(budget, text, fingerprint, at))
    const notices = noticesFor(current, conditions)
    try {
      await store.applyStatus(kind, current, 'waybill-dispatcher', {
        ...generationOf(conditions),
        conditions,
        delivery,
      })
      metrics.statusWrites.inc({ manager: 'waybill-dispatcher' })
      for (const notice of notices) store.record(current, notice)
    } catch (error) {
      budgets.set(entry, failed(budget, at))
      pending.add(entry)
      throw error
    }
  }

  const report = async (entry: Entry): Promise<void> => {
    const at = now()
    const { namespace, name, uid } = entry.subscription.metadata
    const current = store.get(kind, namespace, name)
    if (current?.metadata.uid !== uid) {
      pending.delete(entry)
      return
    }
    const { found, mayChange } = observe(entry, replicas.observations(uid), current, at)
    if (!mayChange) pending.delete(entry)
    if (found) await write(entry, current, found, at)
  }

  return {
    /** Writes what may be written now; returns why some could not be. */
    async write(): Promise<unknown[]> {
      gather()
      const results = await Promise.allSettled([...pending].map((entry) => inTurn(() => report(entry))))
      return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    },
    /** Compares everything with the store once more: another writer may have changed a status. */
    recheck(): void {
      for (const entry of local.since(0)) {
        const budget = budgets.get(entry)
        if (budget === undefined || !isOld(budget, now())) continue
        budgets.set(entry, { ...budget, text: undefined })
        pending.add(entry)
      }
    },
  }
}

/** `mayChange`: time alone may change it. */
const observe = (
  entry: Entry,
  others: readonly Observation[],
  { metadata: { generation }, status }: Subscription,
  at: number,
): { found?: Found; mayChange: boolean } => {
  const { stats, worker } = mergeObservations([observationOf(entry), ...others])
  if (entry.idle) {
    // Not the present generation: a change of the resource ends what a 410 began.
    const decided = entry.idle.subscription.metadata.generation
    return { found: { ...idleFinding(entry.idle, stats), generation: decided }, mayChange: false }
  }
  // What this replica does not deliver, others may deliver only because they have not received a change yet.
  if (entry.worker === undefined || worker === undefined) return { mayChange: false }
  if (worker.starting) return { mayChange: true }
  const before = status?.conditions?.find(
    (each) => each.type === 'Delivering' && each.observedGeneration === generation,
  )
  const found = {
    ...workerFinding(worker, stats, at, before),
    generation: worker.gone ? worker.generation : generation,
  }
  return { found, mayChange: stats.failing > 0 }
}

const fingerprintOf = ({ generation, verdicts, delivery }: Found): string =>
  JSON.stringify([
    generation,
    verdicts.map(({ type, status, reason }) => [type, status, reason]),
    delivery.deadLettered,
  ])
