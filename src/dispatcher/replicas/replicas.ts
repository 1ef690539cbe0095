import { withoutFailures } from '../../delivery/stats.ts'
import { applySnapshot, markGone, observe, type Replica, unknownReplica } from './replica.ts'
import type { GoneReplica, Observation, Snapshot } from './snapshot.ts'

/** A replica that was silent for longer is gone: what it counted stays, but it delivers nothing. */
const silentMs = 10_000
/** So many observations of replicas that are gone are kept, those of the latest ones. */
const mostKept = 50_000

/** What the other replicas observe. `self` is this one; `now` is in ms since 1970. */
export const createReplicas = (self: string) => {
  const replicas = new Map<string, Replica>()
  let news = new Set<string>()

  const changed = (uids: readonly string[]): void => {
    for (const uid of uids) news.add(uid)
  }

  /** Of several replicas that knew one that is gone, the one that received its latest version counts. */
  const receiveGone = ({ replica: id, version, observations }: GoneReplica, now: number): void => {
    const known = replicas.get(id)
    if (id === self || (known && (!known.gone || known.version >= version))) return
    const replica = { ...unknownReplica(known?.receivedAt ?? now), version, gone: true }
    replicas.set(id, replica)
    changed(
      observe(
        replica,
        observations.map(({ uid, stats }) => ({ uid, stats: withoutFailures(stats) })),
        now,
      ),
    )
  }

  const forgetOldest = (): void => {
    let kept = 0
    for (const [id, { observations }] of latestGone(replicas)) {
      kept += observations.size
      if (kept > mostKept) replicas.delete(id)
    }
  }

  const living = (): Replica[] => [...replicas.values()].filter(({ gone }) => !gone)

  return {
    /** Records the answer of a replica; `undefined` is that nothing changed. Returns whether it was not alive before. */
    received(id: string, snapshot: Snapshot | undefined, now: number): boolean {
      const known = replicas.get(id)
      const replica = known ?? unknownReplica(now)
      replicas.set(id, replica)
      const isNew = known === undefined || known.gone
      Object.assign(replica, { receivedAt: now, gone: false } satisfies Partial<Replica>)
      if (snapshot) changed(applySnapshot(replica, snapshot, now))
      for (const gone of snapshot?.gone ?? []) receiveGone(gone, now)
      return isNew
    },
    /** A replica has received this version of this one. */
    acknowledged(id: string, version: number): void {
      const replica = replicas.get(id)
      if (replica) replica.acknowledgedVersion = version
    },
    /** Whether all replicas that stay have acknowledged this version. */
    allAcknowledged: (version: number): boolean =>
      living().every(({ leaving, acknowledgedVersion }) => leaving || acknowledgedVersion >= version),
    /** The version since which a replica is asked for changes; 0 for a full snapshot. */
    since(id: string): number {
      const replica = replicas.get(id)
      return replica?.complete ? replica.version : 0
    },
    /** Gives up those that were silent for too long; returns them. */
    giveUp(now: number): string[] {
      const silent = [...replicas].filter(([, { gone, receivedAt }]) => !gone && now - receivedAt > silentMs)
      for (const [, replica] of silent) changed(markGone(replica))
      forgetOldest()
      return silent.map(([id]) => id)
    },
    /** The counts of those that are gone, for replicas that never received a snapshot of theirs. */
    gone: (): GoneReplica[] =>
      latestGone(replicas).map(([replica, { version, observations }]) => ({
        ...{ replica, version },
        observations: [...observations].map(([uid, { stats }]) => ({ uid, stats })),
      })),
    /** Whether it answered lately. */
    isAlive: (id: string | undefined): boolean => id !== undefined && replicas.get(id)?.gone === false,
    /** How many are alive. */
    count: (): number => living().length,
    /** How long ago the replica answered that has been silent for the longest; 0 where there is none. */
    ageMs: (now: number): number => Math.max(0, ...living().map(({ receivedAt }) => now - receivedAt)),
    /** What they observe of the subscription with this uid. */
    observations: (uid: string): Observation[] =>
      [...replicas.values()].flatMap(({ observations }) => observations.get(uid) ?? []),
    /** The uids of the subscriptions of which something new was received since the last call. */
    news(): ReadonlySet<string> {
      const found = news
      if (found.size > 0) news = new Set()
      return found
    },
  }
}

export type Replicas = ReturnType<typeof createReplicas>

/** Those that are gone, the one that answered last first. */
const latestGone = (replicas: ReadonlyMap<string, Replica>): [string, Replica][] =>
  [...replicas].filter(([, { gone }]) => gone).toSorted(([, a], [, b]) => b.receivedAt - a.receivedAt)
