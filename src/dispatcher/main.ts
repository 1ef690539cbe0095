import { randomUUID } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { subscription } from '../api/kinds/subscription.ts'
import type { Resource } from '../api/resource.ts'
import { repeat } from '../async/repeat.ts'
import { addressGuard } from '../http/address-guard.ts'
import { onRelevantChange } from '../reconcile/fingerprints.ts'
import { onGone } from '../reconcile/on-gone.ts'
import { gather } from '../store/gather.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { peerName } from './replicas/peers.ts'
import { pollPeers } from './replicas/poll.ts'
import { createReplicas } from './replicas/replicas.ts'
import { type Leadership, reportDuring } from './status/leadership.ts'
import { createObservations } from './status/observations.ts'
import { createFleet } from './workers/fleet.ts'
import { workOf } from './workers/routes.ts'

export type { Leadership }

export type DispatcherOptions = {
  readonly store: Store
  readonly log: Log
  readonly metrics: Metrics
  /** Whether subscribers on this machine may be reached. */
  readonly allowLoopback: boolean
  /** How long messages in flight may take when delivery stops. */
  readonly drainTimeoutMs: number
  /** Resolves the names of brokers and subscribers; the system when left out. */
  readonly lookup?: LookupFunction
  /**
   * `host:port` of the HTTP servers of all replicas, this one included, each name standing for all its addresses.
   * Left out, this is the only dispatcher there is, and it writes by itself.
   */
  readonly peers?: readonly string[]
}

export type Running = {
  /** What there was to deliver at the start is being consumed. */
  ready(): boolean
  /**
   * Resolves when everything in flight has ended, after the signal. The snapshot is to be served until then; the term may
   * end with the signal, for another replica hears of what still ends here.
   */
  readonly done: Promise<void>
  /** What this replica sees, for the other ones: to be served as JSON at {@link snapshotPath}, `undefined` as 204. */
  snapshot(query: URLSearchParams): object | undefined
  /**
   * Writes the statuses for all replicas as long as the term lasts, and once more when it ends if it is still held then.
   * It is the work of a Lease where there are replicas. Never rejects.
   */
  report(term: Leadership): Promise<void>
}

/** Where the HTTP server of a replica serves its snapshot. */
export const snapshotPath = '/snapshot'

/** A change to a resource takes effect within two seconds, this and the reading of the file included. */
const gatherMs = 20
/** Secrets cannot be watched everywhere, so they are read again this often. */
const refreshMs = 60_000
/** A Secret that could not be read is tried again after this. */
const againMs = 2_000
/** How long others, which ask every second, may take to hear the last of it. */
const lingerMs = 5_000

/** Delivers the messages of all subscriptions until the signal aborts, then ends what is in flight. @throws PeerNameError */
export const startDispatcher = (options: DispatcherOptions, signal: AbortSignal): Running => {
  const { store, log, metrics, allowLoopback, drainTimeoutMs, lookup } = options
  const peers = options.peers?.map(peerName)
  const replica = randomUUID()
  const local = createObservations(replica)
  const listening = peers && pollPeers({ peers, path: snapshotPath, replica, metrics, log, lost: local.resyncAll })
  const replicas = listening?.replicas ?? createReplicas(replica)
  metrics.dispatcherReplicas.set(1)
  const consumers = createFleet({
    store,
    log,
    metrics,
    guard: addressGuard({ loopback: allowLoopback }, lookup),
    lookup,
    drainTimeoutMs,
    ...local,
  })
  let isReady = false
  let following: Promise<void> | undefined
  let again = false

  const follow = async (): Promise<void> => {
    do {
      again = false
      try {
        const { work, idle } = workOf(gather(store))
        const fault = await consumers.follow(work, idle)
        isReady = true
        if (fault === undefined) continue
        log.warn({ error: fault }, 'Could not read a Secret, what is delivered goes on as before')
        void delay(againMs, undefined, { signal }).then(look, () => undefined)
      } catch (error) {
        log.error({ error }, 'Could not follow a change of the resources')
      }
    } while (again && !signal.aborted)
    following = undefined
  }

  const look = (): void => {
    again = true
    following ??= follow()
  }

  const report = async (term: Leadership): Promise<void> => {
    await listening?.received
    await reportDuring(term, { store, log, metrics, local, replicas })
  }

  const run = async (): Promise<void> => {
    const stopWatching = onRelevantChange(store, meaningOf, gatherMs, look)
    const stopForgetting = onGone(store, subscription, (namespace, name) => {
      local.forget(namespace, name)
      void metrics.forgetSubscription(namespace, name)
    })
    const drained = new AbortController()
    const reporting = listening ? undefined : report({ signal: drained.signal, fence() {} })
    await repeat(refreshMs, look, signal)
    stopWatching()
    stopForgetting()
    if (listening) local.leave()
    await following
    await consumers.close()
    // The last counts are for the others to hear, also for one that has only just come.
    await listening?.again()
    const end = performance.now() + lingerMs
    while (!replicas.allAcknowledged(local.version()) && performance.now() < end) await delay(50)
    drained.abort()
    await Promise.all([reporting, listening?.close()])
  }

  return {
    ready: () => isReady,
    done: run(),
    snapshot(query) {
      const heard = local.acknowledgedVersion(query.get('since'))
      replicas.acknowledged(query.get('by') ?? '', heard)
      return local.snapshot(heard, replicas.gone)
    },
    report,
  }
}

const meaningOf = ({ metadata, status }: Resource): string => {
  const of = (type: string): string => {
    const condition = status?.conditions?.find((each) => each.type === type)
    return `${condition?.status} ${condition?.reason} ${condition?.observedGeneration}`
  }
  const { uid, generation, deletionTimestamp } = metadata
  return [uid, generation, deletionTimestamp, of('Programmed'), of('Suspended'), of('Connected')].join(' ')
}
