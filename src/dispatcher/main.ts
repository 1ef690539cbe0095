import { randomUUID } from 'node:crypto'
import { queue } from '../api/kinds/queue.ts'
import { type Subscription, subscription } from '../api/kinds/subscription.ts'
import { aborted } from '../async/abort.ts'
import { addressGuard } from '../http/address-guard.ts'
import { onGone } from '../reconcile/on-gone.ts'
import type { Leadership } from '../store/leadership.ts'
import { announceLeave } from './leave.ts'
import { keepDeadLetters } from './letters/keep.ts'
import type { DispatcherOptions, Running } from './options.ts'
import { peerName } from './replicas/peers.ts'
import { pollPeers } from './replicas/poll.ts'
import { createReplicas } from './replicas/replicas.ts'
import { createHistory, keepHistory } from './status/history.ts'
import { createObservations } from './status/observations.ts'
import { reportDuring } from './status/report-during.ts'
import { createFleet } from './workers/fleet.ts'
import { followResources } from './workers/follow.ts'

export type { DispatcherOptions, Running }

/** Where the HTTP server of a replica serves its snapshot. */
export const snapshotPath = '/snapshot'

/** Delivers the messages of all subscriptions until the signal aborts, then ends what is in flight. @throws PeerNameError */
export const startDispatcher = (options: DispatcherOptions, signal: AbortSignal): Running => {
  const { store, log, metrics, tracing, allowLoopback, drainTimeoutMs, lookup } = options
  const peers = options.peers?.map(peerName)
  const replica = randomUUID()
  const local = createObservations(replica)
  const polling = peers && pollPeers({ peers, path: snapshotPath, replica, metrics, log, lost: local.resyncAll })
  const replicas = polling?.replicas ?? createReplicas(replica)
  metrics.dispatcherReplicas.set(1)
  const guard = addressGuard({ loopback: allowLoopback }, lookup)
  const fleet = createFleet({ store, log, metrics, tracing, guard, lookup, drainTimeoutMs, observer: local })
  const following = followResources({ store, fleet, log }, signal)

  const history = createHistory({ store, local, replicas })
  const report = async (leadership: Leadership): Promise<void> => {
    await polling?.received
    const succeeded = (delivered: Subscription) => local.succeeded(delivered, Date.now())
    const letters = { store, log, metrics, tracing, guard, drainTimeoutMs, lookup, succeeded }
    await Promise.all([
      reportDuring(leadership, { store, log, metrics, local, replicas }),
      keepDeadLetters(letters, leadership, signal),
    ])
  }

  const run = async (): Promise<void> => {
    const stopForgetting = [
      onGone(store, subscription, (namespace, name) => {
        local.forget(namespace, name)
        void metrics.forgetSubscription(namespace, name)
      }),
      onGone(store, queue, metrics.forgetQueue),
    ]
    const drained = new AbortController()
    const remembering = keepHistory(history, polling?.received, signal)
    const reporting = polling ? undefined : report({ signal: drained.signal, fence() {} })
    await aborted(signal)
    for (const stop of stopForgetting) stop()
    if (polling) local.leave()
    await following.done
    await fleet.close()
    await announceLeave({ local, replicas, polling })
    drained.abort()
    await Promise.all([reporting, remembering, polling?.close()])
  }

  return {
    ready: following.ready,
    done: run(),
    snapshot(query) {
      const version = local.acknowledgedVersion(query.get('since'))
      replicas.acknowledged(query.get('by') ?? '', version)
      return local.snapshot(version, replicas.gone)
    },
    report,
    history: history.of,
  }
}
