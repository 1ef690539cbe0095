import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { idFrom, idOf } from '../../api/resource.ts'
import { type DeliveryStats, newStats } from '../../delivery/stats.ts'
import type { Observation, Snapshot } from '../replicas/snapshot.ts'
import type { Idle } from '../workers/routes.ts'
import type { Worker } from '../workers/worker.ts'

/** What this replica knows of one subscription. */
export type Entry = {
  subscription: Subscription
  stats?: DeliveryStats
  worker?: Worker
  /** Why there is no worker. Where there is neither, nothing is to be said for now. */
  idle?: Idle
  /** The number of its latest change. */
  version: number
}

/** What this replica sees of the subscriptions, with a number for each change. `replica` is unlike any other process's. */
export const createObservations = (replica: string) => {
  const entries = new Map<string, Entry>()
  let version = 0
  let leaving = false
  /** Who was told before this is to be told everything. */
  let fullSince = 0

  const touch = (entry: Entry): void => {
    version += 1
    entry.version = version
  }

  const known = (subscription: Subscription): Entry | undefined => {
    const entry = entries.get(idOf(subscription))
    return entry?.subscription.metadata.uid === subscription.metadata.uid ? entry : undefined
  }

  const entryOf = (subscription: Subscription): Entry => {
    const same = known(subscription)
    if (same) {
      same.subscription = subscription
      return same
    }
    version += 1
    const entry: Entry = { subscription, version }
    entries.set(idOf(subscription), entry)
    return entry
  }

  const since = (from: number): Entry[] =>
    from === version ? [] : [...entries.values()].filter((entry) => entry.version > from)

  return {
    replica,
    /** The counts of a subscription since this process began to deliver it. */
    statsOf(subscription: Subscription): DeliveryStats {
      const entry = entryOf(subscription)
      entry.stats ??= newStats()
      return entry.stats
    },
    changed(worker: Worker): void {
      const same = entries.get(worker.route.id)
      // Every message comes by here, and finds the worker that was there before.
      if (same?.worker === worker) {
        touch(same)
        return
      }
      const entry = entryOf(worker.route.subscription)
      entry.worker = worker
      delete entry.idle
      touch(entry)
    },
    idle(idle: Idle): void {
      const before = known(idle.subscription)
      if (before?.idle && before.idle.message === idle.message && before.subscription === idle.subscription) return
      const entry = entryOf(idle.subscription)
      entry.idle = idle
      delete entry.worker
      touch(entry)
    },
    /** Says nothing more of a subscription until it is delivered or idle again. */
    dropped(subscription: Subscription): void {
      const entry = known(subscription)
      if (entry === undefined) return
      delete entry.worker
      delete entry.idle
      touch(entry)
    },
    /** Forgets a subscription that is gone. */
    forget(namespace: string, name: string): void {
      if (entries.delete(idFrom(kind.kind, namespace, name))) version += 1
    },
    /** The number of the latest change. */
    version: () => version,
    /** What changed after the change of this number; everything after 0. */
    since,
    /** Makes this replica tell everything once more: it has come to know who is gone. */
    resyncAll(): void {
      version += 1
      fullSince = version
    },
    /** From now on this replica tells the others its counts alone: its workers end. */
    leave(): void {
      leaving = true
      version += 1
      for (const entry of entries.values()) touch(entry)
    },
    /** The number of the change that another has heard of, by its own words `<replica>.<number>`; 0 where of none. */
    acknowledgedVersion(words: string | null): number {
      const [, number = ''] = words?.startsWith(`${replica}.`) ? words.split('.') : []
      return /^\d{1,15}$/.test(number) && Number(number) <= version ? Number(number) : 0
    },
    /** What there is to tell one who has heard of this change; `undefined` where that was the last. `gone` goes with everything. */
    snapshot(heard: number, gone: () => Snapshot['gone']): Snapshot | undefined {
      const from = heard >= fullSince ? heard : 0
      if (from === version && from > 0) return undefined
      const changed = since(from)
      const observations = changed.map((entry) => ({
        uid: entry.subscription.metadata.uid,
        ...observationOf(entry, !leaving),
      }))
      const snapshot: Snapshot = {
        ...{ replica, version, from, total: entries.size, leaving, observations },
        ...(from === 0 ? { gone: gone() } : {}),
      }
      // Time alone ends a start, and the others are to hear of that.
      if (!leaving) for (const entry of changed) if (entry.worker?.state().starting) touch(entry)
      return snapshot
    },
  }
}

export const observationOf = ({ stats, worker }: Entry, withLane = true): Observation => ({
  stats: stats ?? newStats(),
  worker: withLane ? worker?.state() : undefined,
})

export type Observations = ReturnType<typeof createObservations>
