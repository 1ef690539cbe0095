import { type DeliveryStats, withoutFailures } from '../../delivery/stats.ts'
import type { Observation, Snapshot, SubscriptionObservation } from './snapshot.ts'

/** Another replica, as far as it is known here. */
export type Replica = {
  /** The version of the latest snapshot received from it. */
  version: number
  /** Whether all that it observes was received, so that what changed since that version is enough. */
  complete: boolean
  /** In ms since 1970. */
  receivedAt: number
  gone: boolean
  leaving: boolean
  /** The latest version of this replica that it has acknowledged. */
  acknowledgedVersion: number
  /** By the uid of the subscription. */
  readonly observations: Map<string, Observation>
}

export const unknownReplica = (now: number): Replica => ({
  ...{ version: 0, complete: false, receivedAt: now, gone: false, leaving: false, acknowledgedVersion: 0 },
  observations: new Map(),
})

/** Applies a snapshot of a replica; returns the uids of the subscriptions that it may change. */
export const applySnapshot = (replica: Replica, snapshot: Snapshot, now: number): string[] => {
  const { version, from, total, leaving, observations } = snapshot
  const isFull = from === 0
  if (!isFull && !(replica.complete && from === replica.version)) return []
  const before = isFull ? [...replica.observations.keys()] : []
  if (isFull) replica.observations.clear()
  const changed = observe(replica, observations, now)
  Object.assign(replica, { version, leaving } satisfies Partial<Replica>)
  // If more are known than it observes now, it has stopped observing some of them.
  replica.complete = replica.observations.size === total
  return [...before, ...changed]
}

/** Adds observations to a replica; returns the uids of their subscriptions. */
export const observe = (replica: Replica, all: readonly SubscriptionObservation[], now: number): string[] => {
  for (const { uid, stats, worker } of all) replica.observations.set(uid, { stats: untilNow(stats, now), worker })
  return all.map(({ uid }) => uid)
}

/** From now on it counts what it counted, delivers nothing, and is no evidence; returns the uids of the subscriptions. */
export const markGone = (replica: Replica): string[] => {
  Object.assign(replica, { gone: true, complete: false } satisfies Partial<Replica>)
  for (const [uid, { stats }] of replica.observations) replica.observations.set(uid, { stats: withoutFailures(stats) })
  return [...replica.observations.keys()]
}

/** A clock that is ahead of ours would make a success last. */
const untilNow = (stats: DeliveryStats, now: number): DeliveryStats => ({
  ...stats,
  failingSince: Math.min(stats.failingSince, now),
  lastSuccess: Math.min(stats.lastSuccess, now),
  lastFailure: stats.lastFailure && { ...stats.lastFailure, time: Math.min(stats.lastFailure.time, now) },
})
