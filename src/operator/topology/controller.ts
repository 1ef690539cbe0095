import type { LookupFunction } from 'node:net'
import { manages } from '../../api/kinds/broker.ts'
import { kinds } from '../../api/kinds/kinds.ts'
import { type Kind, namedBy } from '../../api/resource.ts'
import { EndpointError } from '../../rabbit/endpoint.ts'
import type { Again, Controller } from '../../reconcile/controller.ts'
import { countsEveryMs, type StatusWriter } from '../../reconcile/status-writer.ts'
import type { WorkQueue } from '../../reconcile/work-queue.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { ownerOf } from '../../topology/names.ts'
import { type Attached, membersOf } from '../../topology/references.ts'
import type { World } from '../world/world.ts'
import { announce } from './announce.ts'
import { connections } from './connections.ts'
import { againAfterMs, type Converged, converge, failuresOf, type Memory, noMemory } from './converge.ts'
import { addFinalizers, releaseGone, releaseStranded } from './finalizers.ts'
import { withLatestStatuses } from './latest.ts'
import { backlogMetrics } from './measure.ts'
import { probeEveryMs, startProbes } from './probes.ts'
import { report } from './report.ts'
import { wakeOn } from './triggers.ts'
import { isExpected, unreachableReports } from './unreachable.ts'

export type TopologyOptions = {
  readonly store: Store
  readonly world: () => World
  readonly instance: string
  readonly statuses: StatusWriter
  readonly log: Log
  readonly metrics: Metrics
  /** Resolves the names of brokers; the system when left out. */
  readonly lookup: LookupFunction | undefined
  /** Called right before anything is sent that changes a broker; throws where that is for another process to do. */
  readonly fence: (() => void) | undefined
}

/** Resources that others still need are looked at again after this. */
const lingerMs = 1_000

/**
 * Keeps each broker equal to the resources attached to it. One key is one Broker: its whole virtual host is one plan.
 */
export const topologyController = (options: TopologyOptions): Controller => {
  const { store, world, instance, statuses, metrics } = options
  const management = connections(options)
  const memories = new Map<string, Memory>()
  let probes: WorkQueue | undefined

  /** Observes the broker, plans, applies what may be applied, and reads back. */
  const makeEqual = async (key: string, attached: Attached, signal: AbortSignal): Promise<Converged> => {
    const { broker } = attached
    const connection = await management.to(key, broker)
    const finalizers = addFinalizers(store, manages(broker) ? membersOf(attached) : [], instance)
    const memory = memories.get(key) ?? noMemory
    const converged = await converge(
      { attached, instance, management: connection, memory, now: Date.now(), mayDeclare: finalizers.ready },
      signal,
    ).finally(finalizers.settled)
    await finalizers.allReady()
    memories.set(key, converged.memory)
    announce(options, attached, converged, memory)
    backlogMetrics(metrics, attached, converged.observed, memory)
    return converged
  }

  /** Writes the statuses, and lets deleted resources go whose topology is dealt with. */
  const conclude = async (attached: Attached, converged: Converged): Promise<Again> => {
    const { broker } = attached
    const { wanted, plan, observed, applied } = converged
    const living = new Set(kinds.flatMap((kind) => store.list<Kind>(kind)).map((each) => ownerOf(instance, each)))
    const findings = { wanted, plan, failures: failuresOf(applied), observing: !manages(broker) }
    let lingers = false
    const release = async () => {
      if (manages(broker)) lingers = await releaseGone(store, attached, instance, plan, Date.now())
      else await releaseStranded(store, membersOf(attached), Date.now(), 'now')
    }
    const reports = report(withLatestStatuses(attached, store), findings, observed, living)
    const written = await statuses.writeAll(reports).finally(release)
    const againMs = againAfterMs(broker, converged, Math.random())
    if (lingers) return { againMs: Math.min(againMs, lingerMs) }
    return { againMs: written.includes('later') ? Math.min(againMs, countsEveryMs) : againMs }
  }

  /** Says on every resource of the broker why it cannot be used. */
  const concludeUnusable = async (key: string, attached: Attached, error: unknown): Promise<Again> => {
    const { owners } = memories.get(key) ?? noMemory
    const reports = unreachableReports(attached, instance, error, owners)
    if (reports) metrics.brokerConnected.set(labelsOf(attached), 0)
    const release = () => releaseStranded(store, membersOf(attached), Date.now(), 'grace')
    await statuses.writeAll(reports ?? []).finally(release)
    if (error instanceof EndpointError) return { againMs: probeEveryMs, failed: true }
    throw error
  }

  return {
    name: 'topology',
    keys: () => new Set(world().attached.keys()),
    watch(wake, signal) {
      probes = startProbes(store, management, wake, signal)
      const stop = wakeOn(store, () => world().attached, wake)
      return async () => {
        stop()
        await probes?.done
        await management.close()
      }
    },
    async reconcile(key, signal) {
      const attached = world().attached.get(key)
      if (attached === undefined) return undefined
      try {
        const again = await conclude(attached, await makeEqual(key, attached, signal))
        metrics.brokerConnected.set(labelsOf(attached), 1)
        probes?.add(key, probeEveryMs)
        return again
      } catch (error) {
        signal.throwIfAborted()
        return await concludeUnusable(key, attached, error)
      }
    },
    async forget(key) {
      memories.delete(key)
      await management.drop(key)
      await metrics.forgetBroker(...namedBy(key))
    },
    isExpected,
  }
}

const labelsOf = ({ broker: { metadata } }: Attached) => ({ namespace: metadata.namespace, broker: metadata.name })
