import type { DeliveryStats } from '../../delivery/stats.ts'
import type { Observation, Snapshot } from './snapshot.ts'

/** A replica that was silent for longer is no more: what it counted stays, but it delivers nothing. */
const silentMs = 10_000
/** So many counts of replicas that are no more are kept, those of the latest ones. */
const mostKept = 50_000

type Replica = {
  /** The latest change of it that was heard. */
  version: number
  /** Whether what was heard is all that there is, so that it need only tell what changed since. */
  whole: boolean
  receivedAt: number
  gone: boolean
  leaving: boolean
  /** The latest change of this replica that it has heard. */
  acknowledgedVersion: number
  observations: Map<string, Observation>
}

const unknownReplica = (now: number): Replica => ({
  ...{ version: 0, whole: false, receivedAt: now, gone: false, leaving: false, acknowledgedVersion: 0 },
  observations: new Map(),
})

/** What the other replicas told. `self` is this one; `now` is in ms since 1970. */
export const createReplicas = (self: string) => {
  const replicas = new Map<string, Replica>()
  let news = new Set<string>()

  const set = (replica: Replica, uid: string, observation: Observation): void => {
    replica.observations.set(uid, observation)
    news.add(uid)
  }

  const take = (replica: Replica, { version, from, total, leaving, observations }: Snapshot, now: number): void => {
    if (from === 0) {
      for (const uid of replica.observations.keys()) news.add(uid)
      replica.observations.clear()
    }
    for (const { uid, stats, worker } of observations) set(replica, uid, { stats: untilNow(stats, now), worker })
    Object.assign(replica, { version, leaving })
    // More than it has now is what it has no longer.
    replica.whole = replica.observations.size === total
  }

  /** Of one that is gone, whoever heard it last knows best. */
  const takeGone = ({ gone = [] }: Snapshot, now: number): void => {
    for (const { replica: id, version, observations } of gone) {
      const known = replicas.get(id)
      if (id === self || (known && (!known.gone || known.version >= version))) continue
      const replica = { ...unknownReplica(known?.receivedAt ?? now), version, gone: true }
      replicas.set(id, replica)
      for (const { uid, stats } of observations) set(replica, uid, { stats: untilNow(stats, now) })
    }
  }

  const living = (): Replica[] => [...replicas.values()].filter(({ gone }) => !gone)
  const goneByAge = (): [string, Replica][] =>
    [...replicas].filter(([, { gone }]) => gone).toSorted(([, a], [, b]) => b.receivedAt - a.receivedAt)

  return {
    /** Takes in what a replica answered; `undefined` is that nothing changed. Returns whether it is new. */
    received(id: string, snapshot: Snapshot | undefined, now: number): boolean {
      const known = replicas.get(id)
      const replica = known ?? unknownReplica(now)
      replicas.set(id, replica)
      const isNew = known === undefined || known.gone
      Object.assign(replica, { heardAt: now, gone: false })
      if (snapshot && (snapshot.from === 0 || (replica.whole && snapshot.from === replica.version)))
        take(replica, snapshot, now)
      if (snapshot) takeGone(snapshot, now)
      return isNew
    },
    /** A replica has heard of all changes of this one up to the one of this number. */
    acknowledged(id: string, at: number): void {
      const replica = replicas.get(id)
      if (replica) replica.acknowledgedVersion = at
    },
    /** Whether all that stay have heard of this change. */
    allAcknowledged: (at: number): boolean =>
      living().every(({ leaving, acknowledgedVersion }) => leaving || acknowledgedVersion >= at),
    /** The change since which a replica is to tell what it sees; 0 for everything. */
    since(id: string): number {
      const replica = replicas.get(id)
      return replica?.whole ? replica.version : 0
    },
    /** Gives up those that were silent for too long; returns them. */
    giveUp(now: number): string[] {
      const silent = [...replicas].filter(([, { gone, receivedAt }]) => !gone && now - receivedAt > silentMs)
      for (const [, replica] of silent) {
        replica.gone = true
        replica.whole = false
        for (const [uid, { stats }] of replica.observations) set(replica, uid, { stats })
      }
      let kept = 0
      for (const [id, { observations }] of goneByAge()) {
        kept += observations.size
        if (kept > mostKept) replicas.delete(id)
      }
      return silent.map(([id]) => id)
    },
    /** What those counted that are gone, for one who never heard them. */
    gone: (): NonNullable<Snapshot['gone']> =>
      goneByAge().map(([replica, { version, observations }]) => ({
        ...{ replica, version },
        observations: [...observations].map(([uid, { stats }]) => ({ uid, stats })),
      })),
    /** Whether it was heard lately. */
    isAlive: (id: string | undefined): boolean => id !== undefined && replicas.get(id)?.gone === false,
    /** How many there are. */
    count: (): number => living().length,
    /** How long ago the one was heard that is silent for the longest; 0 where there is none. */
    ageMs: (now: number): number => Math.max(0, ...living().map(({ receivedAt }) => now - receivedAt)),
    /** What they see of the subscription with this uid. */
    observations: (uid: string): Observation[] =>
      [...replicas.values()].flatMap(({ observations }) => observations.get(uid) ?? []),
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
const untilNow = (stats: DeliveryStats, now: number): DeliveryStats => ({
  ...stats,
  failingSince: Math.min(stats.failingSince, now),
  lastSuccess: Math.min(stats.lastSuccess, now),
  lastFailure: stats.lastFailure && { ...stats.lastFailure, time: Math.min(stats.lastFailure.time, now) },
})
