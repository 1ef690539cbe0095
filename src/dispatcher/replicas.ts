import type { Tally } from '../delivery/tally.ts'
import type { Share, Sight } from './share.ts'

/** A replica that was silent for longer is no more: what it counted stays, but it delivers nothing. */
const silentMs = 10_000
/** Of so many replicas that are no more the counts are kept. */
const mostGone = 32

type Replica = { at: number; heardAt: number; readonly sights: Map<string, Sight>; gone: boolean }

/** What the other replicas told. `now` is in ms since 1970. */
export const createReplicas = () => {
  const replicas = new Map<string, Replica>()
  let news = new Set<string>()

  const adopt = (replica: Replica, { at, from, total, sights }: Share, now: number): void => {
    if (from === 0) {
      for (const uid of replica.sights.keys()) news.add(uid)
      replica.sights.clear()
    }
    for (const { uid, tally, lane } of sights) {
      replica.sights.set(uid, { tally: untilNow(tally, now), lane })
      news.add(uid)
    }
    // It no longer has all that it told of, so everything is to be heard once more.
    replica.at = replica.sights.size === total ? at : 0
  }

  return {
    /** Takes in what a replica answered; `undefined` is that nothing changed. Returns whether it was unknown. */
    heard(id: string, share: Share | undefined, now: number): boolean {
      const known = replicas.get(id)
      const replica = known ?? { at: 0, heardAt: now, sights: new Map(), gone: false }
      replicas.set(id, replica)
      replica.heardAt = now
      replica.gone = false
      if (share && (share.from === 0 || share.from === replica.at)) adopt(replica, share, now)
      return known === undefined
    },
    /** What a replica is to be asked for: what changed since. */
    since: (id: string): number => replicas.get(id)?.at ?? 0,
    /** Gives up those that were silent for too long; returns them. */
    giveUp(now: number): string[] {
      const silent = [...replicas].filter(([, { gone, heardAt }]) => !gone && now - heardAt > silentMs)
      for (const [, replica] of silent) {
        replica.gone = true
        replica.at = 0
        for (const [uid, { tally }] of replica.sights) {
          replica.sights.set(uid, { tally })
          news.add(uid)
        }
      }
      const gone = [...replicas].filter(([, replica]) => replica.gone).toSorted((a, b) => b[1].heardAt - a[1].heardAt)
      for (const [id] of gone.slice(mostGone)) replicas.delete(id)
      return silent.map(([id]) => id)
    },
    /** Whether it was heard lately. */
    hears: (id: string | undefined): boolean => id !== undefined && replicas.get(id)?.gone === false,
    /** How many there are. */
    count: (): number => [...replicas.values()].filter(({ gone }) => !gone).length,
    /** How long ago the one was heard that is silent for the longest; 0 where there is none. */
    ageMs: (now: number): number =>
      Math.max(0, ...[...replicas.values()].filter(({ gone }) => !gone).map(({ heardAt }) => now - heardAt)),
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
