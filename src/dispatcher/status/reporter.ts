import { isDeepStrictEqual } from 'node:util'
import { type Condition, decidingReady, stamp, writtenBy } from '../../api/conditions.ts'
import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { readyOf } from '../../api/readiness.ts'
import { atMost } from '../../async/limit.ts'
import { noticesOf } from '../../store/notices.ts'
import type { Store } from '../../store/store.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { mergeObservations } from '../replicas/merge.ts'
import type { Replicas } from '../replicas/replicas.ts'
import { type Finding, idleFinding, workerFinding } from './finding.ts'
import { type Entry, type Observations, observationOf } from './observations.ts'
import { failed, isOld, mayWrite, newBudget, type WriteBudget, wrote } from './write-budget.ts'

/** A write is asked for right before it is sent: what waits in a line would be sent by a process that was stopped for a while. */
const atATime = 16

export type ReporterOptions = {
  readonly store: Pick<Store, 'get' | 'applyStatus' | 'record'>
  readonly metrics: Pick<Metrics, 'statusWrites'>
  /** What this replica sees. */
  readonly local: Observations
  /** What the others see. */
  readonly replicas: Pick<Replicas, 'observations' | 'news'>
  now(): number
}

type Found = Finding & { readonly generation: number }

/** Writes what the dispatcher sees onto the subscriptions. Only those that changed are looked at. */
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

  /** `later`: time alone may change it. */
  const look = (entry: Entry, { metadata }: Subscription, at: number): { found?: Found; later: boolean } => {
    const { stats, worker } = mergeObservations([observationOf(entry), ...replicas.observations(metadata.uid)])
    const { generation } = metadata
    if (entry.idle) {
      // Not what it has become since: a change ends what an answer of 410 began.
      const decided = entry.idle.subscription.metadata.generation
      return { found: { ...idleFinding(entry.idle, stats), generation: decided }, later: false }
    }
    // What this replica does not deliver, the others may deliver only because they have not heard of a change.
    if (entry.worker === undefined || worker === undefined) return { later: false }
    if (worker.starting) return { later: true }
    const found = { ...workerFinding(worker, stats, at), generation: worker.gone ? worker.generation : generation }
    return { found, later: stats.failing > 0 }
  }

  const writeOne = async (entry: Entry): Promise<void> => {
    const at = now()
    const { namespace, name, uid } = entry.subscription.metadata
    const current = store.get(kind, namespace, name)
    const { found, later } = current?.metadata.uid === uid ? look(entry, current, at) : { later: false }
    if (!later) pending.delete(entry)
    if (current === undefined || found === undefined) return
    const { verdicts, delivery, generation } = found
    const meaning = meaningOf(found)
    const text = JSON.stringify([generation, verdicts, delivery])
    const budget = budgets.get(entry) ?? newBudget
    if (text === budget.text) return
    const before = current.status?.conditions
    const conditions = withReady(current, stamp(verdicts, before, generation, new Date(at)), new Date(at))
    if (budget.text === undefined && says(current, { conditions, delivery })) {
      budgets.set(entry, { ...budget, text, meaning })
      return
    }
    if (!mayWrite(budget, meaning, at)) {
      pending.add(entry)
      return
    }
    budgets.set(entry, wrote(budget, text, meaning, at))
    try {
      await store.applyStatus(kind, current, 'waybill-dispatcher', { conditions, delivery })
      metrics.statusWrites.inc({ manager: 'waybill-dispatcher' })
      const after = [...notIn(owned, before), ...notIn(causes, conditions)]
      for (const notice of noticesOf(notIn(causes, before), after)) store.record(current, notice)
    } catch (error) {
      budgets.set(entry, failed(budget, at))
      pending.add(entry)
      throw error
    }
  }

  return {
    /** Writes what may be written now; returns why some could not be. */
    async write(): Promise<unknown[]> {
      gather()
      const results = await Promise.allSettled([...pending].map((entry) => inTurn(() => writeOne(entry))))
      return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    },
    /** Compares everything with the store once more: somebody may have changed a status. */
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

const meaningOf = ({ generation, verdicts, delivery }: Found): string =>
  JSON.stringify([
    generation,
    verdicts.map(({ type, status, reason }) => [type, status, reason]),
    delivery.deadLettered,
  ])

/** The conditions that the dispatcher writes; Ready together with the operator. */
const owned = writtenBy('dispatcher', 'both')
/** Those that Ready follows from: it says why they are as they are. */
const causes = decidingReady('dispatcher')

const notIn = (types: ReadonlySet<string>, conditions: readonly Condition[] = []): Condition[] =>
  conditions.filter(({ type }) => !types.has(type))

/** What is ours, and Ready, which follows from it and from what the operator says. */
const withReady = ({ spec, status }: Subscription, ours: readonly Condition[], now: Date): readonly Condition[] => {
  const due = readyOf(spec, [...notIn(owned, status?.conditions), ...ours])
  return due ? [...ours, ...stamp([due.ready], status?.conditions, due.generation, now)] : ours
}

type Applied = { readonly conditions: readonly Condition[]; readonly delivery: Finding['delivery'] }

/** Whether the status has exactly this of ours already, as after another process wrote it. */
const says = ({ status }: Subscription, { conditions, delivery }: Applied): boolean => {
  const ours = status?.conditions?.filter(({ type }) => owned.has(type)) ?? []
  const byType = (list: readonly Condition[]) => new Map(list.map((condition) => [condition.type, condition]))
  return isDeepStrictEqual(status?.delivery, delivery) && isDeepStrictEqual(byType(ours), byType(conditions))
}
