import { idOf } from '../../api/resource.ts'
import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { newTally, type Tally } from '../../delivery/stats.ts'
import type { Lane } from '../workers/worker.ts'
import type { Idle } from '../workers/routes.ts'
import type { Share, Sight } from '../replicas/snapshot.ts'

/** What this replica knows of one subscription. */
export type Entry = {
  subscription: Subscription
  tally?: Tally
  lane?: Lane
  /** Why there is no lane. Where there is neither, nothing is to be said for now. */
  idle?: Idle
  /** The number of its latest change. */
  at: number
}

/** What this replica sees of the subscriptions, with a number for each change. `replica` is unlike any other process's. */
export const createRegister = (replica: string) => {
  const entries = new Map<string, Entry>()
  let at = 0
  let leaving = false
  /** Who was told before this is to be told everything. */
  let wholeAt = 0

  const touch = (entry: Entry): void => {
    at += 1
    entry.at = at
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
    at += 1
    const entry: Entry = { subscription, at }
    entries.set(idOf(subscription), entry)
    return entry
  }

  const since = (from: number): Entry[] => (from === at ? [] : [...entries.values()].filter((entry) => entry.at > from))

  return {
    replica,
    /** The counts of a subscription since this process began to deliver it. */
    tallyOf(subscription: Subscription): Tally {
      const entry = entryOf(subscription)
      entry.tally ??= newTally()
      return entry.tally
    },
    changed(lane: Lane): void {
      const same = entries.get(lane.route.id)
      // Every message comes by here, and finds the lane that was there before.
      if (same?.lane === lane) {
        touch(same)
        return
      }
      const entry = entryOf(lane.route.subscription)
      entry.lane = lane
      delete entry.idle
      touch(entry)
    },
    idle(idle: Idle): void {
      const before = known(idle.subscription)
      if (before?.idle && before.idle.message === idle.message && before.subscription === idle.subscription) return
      const entry = entryOf(idle.subscription)
      entry.idle = idle
      delete entry.lane
      touch(entry)
    },
    /** Says nothing more of a subscription until it is delivered or idle again. */
    dropped(subscription: Subscription): void {
      const entry = known(subscription)
      if (entry === undefined) return
      delete entry.lane
      delete entry.idle
      touch(entry)
    },
    /** Forgets a subscription that is gone. */
    forget(namespace: string, name: string): void {
      if (entries.delete(`${kind.kind}/${namespace}/${name}`)) at += 1
    },
    /** The number of the latest change. */
    at: () => at,
    /** What changed after the change of this number; everything after 0. */
    since,
    /** Makes this replica tell everything once more: it has come to know who is gone. */
    tellAll(): void {
      at += 1
      wholeAt = at
    },
    /** From now on this replica tells the others its counts alone: its lanes end. */
    leave(): void {
      leaving = true
      at += 1
      for (const entry of entries.values()) touch(entry)
    },
    /** The number of the change that another has heard of, by its own words `<replica>.<number>`; 0 where of none. */
    heardBy(words: string | null): number {
      const [, number = ''] = words?.startsWith(`${replica}.`) ? words.split('.') : []
      return /^\d{1,15}$/.test(number) && Number(number) <= at ? Number(number) : 0
    },
    /** What there is to tell one who has heard of this change; `undefined` where that was the last. `gone` goes with everything. */
    share(heard: number, gone: () => Share['gone']): Share | undefined {
      const from = heard >= wholeAt ? heard : 0
      if (from === at && from > 0) return undefined
      const changed = since(from)
      const sights = changed.map((entry) => ({ uid: entry.subscription.metadata.uid, ...sightOf(entry, !leaving) }))
      const share: Share = {
        ...{ replica, at, from, total: entries.size, leaving, sights },
        ...(from === 0 ? { gone: gone() } : {}),
      }
      // Time alone ends a start, and the others are to hear of that.
      if (!leaving) for (const entry of changed) if (entry.lane?.state().starting) touch(entry)
      return share
    },
  }
}

export const sightOf = ({ tally, lane }: Entry, withLane = true): Sight => ({
  tally: tally ?? newTally(),
  lane: withLane ? lane?.state() : undefined,
})

export type Register = ReturnType<typeof createRegister>
