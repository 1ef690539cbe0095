import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { idFrom, idOf } from '../../api/resource.ts'
import { type DeliveryStats, newStats } from '../../delivery/stats.ts'
import type { Observation } from '../replicas/snapshot.ts'
import type { Idle } from '../workers/routes.ts'
import type { Worker } from '../workers/worker.ts'

/** What this replica knows of one subscription. */
export type Entry = {
  subscription: Subscription
  stats?: DeliveryStats
  worker?: Worker
  /** Why there is no worker. Where there is neither, there is nothing to report for now. */
  idle?: Idle
  /** That of its latest change. */
  version: number
}

/** An entry for each subscription, each with the version of its latest change. Versions count the changes of all. */
export const createEntries = () => {
  const entries = new Map<string, Entry>()
  let version = 0

  const advance = (): number => {
    version += 1
    return version
  }

  /** The entry of exactly this subscription, not of another one that had its name. */
  const known = (subscription: Subscription): Entry | undefined => {
    const entry = entries.get(idOf(subscription))
    return entry?.subscription.metadata.uid === subscription.metadata.uid ? entry : undefined
  }

  return {
    known,
    /** The entry under an id, whichever subscription it is of. */
    get: (id: string): Entry | undefined => entries.get(id),
    /** The entry of a subscription, which is a new one where the subscription is. */
    of(subscription: Subscription): Entry {
      const same = known(subscription)
      if (same) {
        same.subscription = subscription
        return same
      }
      const entry: Entry = { subscription, version: advance() }
      entries.set(idOf(subscription), entry)
      return entry
    },
    /** Marks an entry as changed. */
    touch(entry: Entry): void {
      entry.version = advance()
    },
    forget(namespace: string, name: string): void {
      if (entries.delete(idFrom(kind.kind, namespace, name))) advance()
    },
    /** The version of the latest change. */
    version: () => version,
    /** A version after all others, though no entry changed. */
    advance,
    /** The entries that changed after this version; all after 0. */
    since: (from: number): Entry[] =>
      from === version ? [] : [...entries.values()].filter((entry) => entry.version > from),
    count: (): number => entries.size,
  }
}

export const observationOf = ({ stats, worker }: Entry, withWorker = true): Observation => ({
  stats: stats ?? newStats(),
  worker: withWorker ? worker?.state() : undefined,
})
