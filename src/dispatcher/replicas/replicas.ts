import type { Tally } from '../../delivery/stats.ts'
import type { Share, Sight } from './snapshot.ts'

/** A replica that was silent for longer is no more: what it counted stays, but it delivers nothing. */
const silentMs = 10_000
/** So many counts of replicas that are no more are kept, those of the latest ones. */
const mostKept = 50_000

type Replica = {
  /** The latest change of it that was heard. */
  at: number
  /** Whether what was heard is all that there is, so that it need only tell what changed since. */
  whole: boolean
  heardAt: number
  gone: boolean
  leaving: boolean
  /** The latest change of this replica that it has heard. */
  knows: number
  sights: Map<string, Sight>
}

const unheard = (now: number): Replica => ({
  ...{ at: 0, whole: false, heardAt: now, gone: false, leaving: false, knows: 0 },
  sights: new Map(),
})

/** What the other replicas told. `self` is this one; `now` is in ms since 1970. */
export const createReplicas = (self: string) => {
  const replicas = new Map<string, Replica>()
  let news = new Set<string>()

  const set = (replica: Replica, uid: string, sight: Sight): void => {
    replica.sights.set(uid, sight)
    news.add(uid)
  }

  const take = (replica: Replica, { at, from, total, leaving, sights }: Share, now: number): void => {
    if (from === 0) {
      for (const uid of replica.sights.keys()) news.add(uid)
      replica.sights.clear()
    }
    for (const { uid, tally, lane } of sights) set(replica, uid, { tally: untilNow(tally, now), lane })
    Object.assign(replica, { at, leaving })
    // More than it has now is what it has no longer.
    replica.whole = replica.sights.size === total
  }

  /** Of one that is gone, whoever heard it last knows best. */
  const takeGone = ({ gone = [] }: Share, now: number): void => {
    for (const { replica: id, at, sights } of gone) {
      const known = replicas.get(id)
      if (id === self || (known && (!known.gone || known.at >= at))) continue
      const replica = { ...unheard(known?.heardAt ?? now), at, gone: true }
      replicas.set(id, replica)
      for (const { uid, tally } of sights) set(replica, uid, { tally: untilNow(tally, now) })
    }
  }

  const living = (): Replica[] => [...replicas.values()].filter(({ gone }) => !gone)
  const goneByAge = (): [string, Replica][] =>
    [...replicas].filter(([, { gone }]) => gone).toSorted(([, a], [, b]) => b.heardAt - a.heardAt)

  return {
    /** Takes in what a replica answered; `undefined` is that nothing changed. Returns whether it is new. */
    heard(id: string, share: Share | undefined, now: number): boolean {
      const known = replicas.get(id)
      const replica = known ?? unheard(now)
      replicas.set(id, replica)
      const isNew = known === undefined || known.gone
      Object.assign(replica, { heardAt: now, gone: false })
      if (share && (share.from === 0 || (replica.whole && share.from === replica.at))) take(replica, share, now)
      if (share) takeGone(share, now)
      return isNew
    },
    /** A replica has heard of all changes of this one up to the one of this number. */
    told(id: string, at: number): void {
      const replica = replicas.get(id)
      if (replica) replica.knows = at
    },
    /** Whether all that stay have heard of this change. */
    allKnow: (at: number): boolean => living().every(({ leaving, knows }) => leaving || knows >= at),
    /** The change since which a replica is to tell what it sees; 0 for everything. */
    since(id: string): number {
      const replica = replicas.get(id)
      return replica?.whole ? replica.at : 0
    },
    /** Gives up those that were silent for too long; returns them. */
    giveUp(now: number): string[] {
      const silent = [...replicas].filter(([, { gone, heardAt }]) => !gone && now - heardAt > silentMs)
      for (const [, replica] of silent) {
        replica.gone = true
        replica.whole = false
        for (const [uid, { tally }] of replica.sights) set(replica, uid, { tally })
      }
      let kept = 0
      for (const [id, { sights }] of goneByAge()) {
        kept += sights.size
        if (kept > mostKept) replicas.delete(id)
      }
      return silent.map(([id]) => id)
    },
    /** What those counted that are gone, for one who never heard them. */
    gone: (): NonNullable<Share['gone']> =>
      goneByAge().map(([replica, { at, sights }]) => ({
        ...{ replica, at },
        sights: [...sights].map(([uid, { tally }]) => ({ uid, tally })),
      })),
    /** Whether it was heard lately. */
    hears: (id: string | undefined): boolean => id !== undefined && replicas.get(id)?.gone === false,
    /** How many there are. */
    count: (): number => living().length,
    /** How long ago the one was heard that is silent for the longest; 0 where there is none. */
    ageMs: (now: number): number => Math.max(0, ...living().map(({ heardAt }) => now - heardAt)),
    /** What they see of the subscription with this uid. */
    sights: (uid: string): Sight[] => [...replicas.values()].flatMap(({ sights }) => sights.get(uid) ?? []),
    /** The uids of the subscriptions of which something new was heard since this was last asked. */
    news(): ReadonlySet<string> {
      const found = news
      if (found.size > 0) news = new Set()
      return found
    },
  }
}

export type Replicas = ReturnType<typeof createReplicas>

/** A clock that is ahead of ours would make a success last. */
const untilNow = (tally: Tally, now: number): Tally => ({
  ...tally,
  failingSince: Math.min(tally.failingSince, now),
  lastSuccess: Math.min(tally.lastSuccess, now),
  lastFailure: tally.lastFailure && { ...tally.lastFailure, time: Math.min(tally.lastFailure.time, now) },
})
