import type { Subscription } from '../../api/kinds/subscription.ts'
import { type DeliveryStats, forgetFailures, newStats, succeeded } from '../../delivery/stats.ts'
import type { Observation, Snapshot } from '../replicas/snapshot.ts'
import type { Idle } from '../workers/routes.ts'
import type { Worker } from '../workers/worker.ts'
import { createEntries, type Entry, observationOf } from './entries.ts'

/** What this replica observes of the subscriptions. `replica` is unlike any other process's. */
export const createObservations = (replica: string) => {
  const entries = createEntries()
  let leaving = false
  /** Peers that acknowledged an older version get a full snapshot. */
  let fullSince = 0

  return {
    replica,
    /** The counts of a subscription since this process began to deliver it; failures before its latest change are none. */
    statsOf(subscription: Subscription): DeliveryStats {
      const before = entries.known(subscription)?.subscription.metadata.generation
      const entry = entries.of(subscription)
      entry.stats ??= newStats()
      if (before !== subscription.metadata.generation) forgetFailures(entry.stats)
      return entry.stats
    },
    /** The same counts, for somebody who only looks; `undefined` where there are none. */
    counted: (subscription: Subscription): DeliveryStats | undefined => entries.known(subscription)?.stats,
    /** The subscriber has answered 2xx to something else than a message of its queue. */
    succeeded(subscription: Subscription, now: number): void {
      const entry = entries.known(subscription)
      if (entry?.stats === undefined) return
      succeeded(entry.stats, now)
      entries.touch(entry)
    },
    /** The state or the counts of a worker changed. */
    changed(worker: Worker): void {
      const same = entries.get(worker.route.id)
      // This is called for every message, and nearly always the worker is the one of before.
      const entry = same?.worker === worker ? same : setWorker(entries.of(worker.route.subscription), worker)
      entries.touch(entry)
    },
    /** A subscription is not delivered. */
    idle(idle: Idle): void {
      const before = entries.known(idle.subscription)
      if (before?.idle && before.idle.message === idle.message && before.subscription === idle.subscription) return
      entries.touch(setIdle(entries.of(idle.subscription), idle))
    },
    /** Reports nothing more of a subscription until it is delivered or idle again. */
    dropped(subscription: Subscription): void {
      const entry = entries.known(subscription)
      if (entry === undefined) return
      delete entry.worker
      delete entry.idle
      entries.touch(entry)
    },
    /** Forgets a subscription that is gone. */
    forget: entries.forget,
    /** The version of the latest change. */
    version: entries.version,
    /** What changed after this version; everything after 0. */
    since: entries.since,
    /** The next snapshot for each peer is a full one: it is known of another replica that it is gone. */
    resyncAll(): void {
      fullSince = entries.advance()
    },
    /** From now on the snapshots of this replica have its counts alone: its workers end. */
    leave(): void {
      leaving = true
      entries.advance()
      for (const entry of entries.since(0)) entries.touch(entry)
    },
    /** The version that a peer acknowledges by `<replica>.<version>`; 0 where it is not one of this replica. */
    acknowledgedVersion(text: string | null): number {
      const [, digits = ''] = text?.startsWith(`${replica}.`) ? text.split('.') : []
      return /^\d{1,15}$/.test(digits) && Number(digits) <= entries.version() ? Number(digits) : 0
    },
    /**
     * The snapshot for a peer that has acknowledged this version; `undefined` where nothing changed since. `gone` is sent
     * with a full one.
     */
    snapshot(acknowledged: number, gone: () => Snapshot['gone']): Snapshot | undefined {
      const version = entries.version()
      const from = acknowledged >= fullSince ? acknowledged : 0
      if (from === version && from > 0) return undefined
      const changed = entries.since(from)
      const observations = changed.map((entry) => ({
        uid: entry.subscription.metadata.uid,
        ...forOlder(observationOf(entry, !leaving)),
      }))
      // Time alone ends a start, and peers must receive that too.
      if (!leaving) for (const entry of changed) if (entry.worker?.state().starting) entries.touch(entry)
      return {
        ...{ replica, version, from, total: entries.count(), leaving, observations },
        ...(from === 0 ? { gone: gone() } : {}),
      }
    },
  }
}

export type Observations = ReturnType<typeof createObservations>

/** Replicas of the first version read until when failures count; an hour later they have all been asked again. */
const forOlder = ({ stats, worker }: Observation) => ({
  stats: { ...stats, failingUntil: stats.failing === 0 ? 0 : stats.failingSince + 3_600_000 },
  worker,
})

const setWorker = (entry: Entry, worker: Worker): Entry => {
  delete entry.idle
  return Object.assign(entry, { worker })
}

const setIdle = (entry: Entry, idle: Idle): Entry => {
  delete entry.worker
  return Object.assign(entry, { idle })
}
