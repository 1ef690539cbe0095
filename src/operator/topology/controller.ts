import type { LookupFunction } from 'node:net'
import { manages } from '../../api/kinds/broker.ts'
import { namedBy } from '../../api/resource.ts'
import type { Controller } from '../../reconcile/controller.ts'
import type { StatusWriter } from '../../reconcile/status-writer.ts'
import type { WorkQueue } from '../../reconcile/work-queue.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { type Attached, membersOf } from '../../topology/references.ts'
import type { WorldView } from '../world/world.ts'
import { announce } from './announce.ts'
import { conclude, concludeUnusable } from './conclude.ts'
import { connections } from './connections.ts'
import { type Converged, type ConvergeOptions, converge, type Memory, noMemory } from './converge.ts'
import { addFinalizers } from './finalizers.ts'
import { livingIn } from './living.ts'
import { backlogMetrics } from './measure.ts'
import { orphanage } from './orphans.ts'
import { probeEveryMs, startProbes } from './probes.ts'
import { wakeOn } from './triggers.ts'
import { isExpected } from './unreachable.ts'

export type TopologyOptions = {
  readonly store: Store
  readonly world: WorldView
  /** Marks what this installation declares. */
  readonly instance: string
  readonly statuses: StatusWriter
  readonly log: Log
  readonly metrics: Metrics
  /** Resolves the names of brokers; the system when left out. */
  readonly lookup: LookupFunction | undefined
  /** Called right before anything is sent that changes a broker; throws when another process leads, and nothing is sent then. */
  readonly fence: (() => void) | undefined
}

/**
 * Keeps each broker equal to the resources attached to it. A key is that of a Broker, for its whole virtual host is one
 * plan. Reconciling is observe → plan → apply → read back (`converge`) → report → release (`conclude`).
 */
export const topologyController = (options: TopologyOptions): Controller => {
  const { store, world, metrics } = options
  const management = connections(options)
  const memories = new Map<string, Memory>()
  const orphans = orphanage(options)
  let probes: WorkQueue | undefined

  const makeEqual = async (
    key: string,
    attached: Attached,
    memory: Memory,
    signal: AbortSignal,
  ): Promise<Converged> => {
    const connection = await management.to(key, attached.broker)
    const converged = await convergeProtected(options, attached, { management: connection, memory }, signal)
    memories.set(key, converged.memory)
    announce(options, attached, converged, memory)
    await orphans.putBack(key, attached, converged.observed, connection, signal)
    backlogMetrics(metrics, attached, converged, memory)
    return converged
  }

  return {
    name: 'topology',
    labels: labelsOf,
    keys: () => new Set(world.now().attached.keys()),
    watch(wake, signal) {
      probes = startProbes(store, management, (key) => wake(key), signal)
      const stop = wakeOn(world, wake, management.doubtAll)
      return async () => {
        stop()
        await probes?.done
        await management.close()
      }
    },
    async reconcile(key, signal) {
      const attached = world.now().attached.get(key)
      if (attached === undefined) return undefined
      const memory = memories.get(key) ?? noMemory
      try {
        const converged = await makeEqual(key, attached, memory, signal)
        const again = await conclude(options, attached, converged)
        metrics.brokerConnected.set(labelsOf(key), 1)
        probes?.add(key, probeEveryMs)
        return again
      } catch (error) {
        signal.throwIfAborted()
        management.doubt(key)
        return await concludeUnusable(options, attached, (memories.get(key) ?? noMemory).owners, error)
      }
    },
    async forget(key) {
      memories.delete(key)
      orphans.forget(key)
      await management.drop(key)
      await metrics.forgetBroker(...namedBy(key))
    },
    isExpected,
  }
}

/** Converges with a finalizer on each resource first, so that none is gone before its topology is dealt with. */
const convergeProtected = async (
  { store, instance }: TopologyOptions,
  attached: Attached,
  known: Pick<ConvergeOptions, 'management' | 'memory'>,
  signal: AbortSignal,
): Promise<Converged> => {
  const finalizers = addFinalizers(store, manages(attached.broker) ? membersOf(attached) : [], instance)
  const isLiving = livingIn(store, instance)
  // A resource may be there again, and not be attached to this broker.
  const leftBehind = new Set([...known.memory.leftBehind].filter((owner) => !isLiving(owner)))
  const memory = { ...known.memory, leftBehind }
  const converged = await converge(
    { ...known, memory, isLiving, attached, instance, now: Date.now(), mayDeclare: finalizers.ready },
    signal,
  ).finally(finalizers.settled)
  await finalizers.allReady()
  return converged
}

const labelsOf = (key: string): { namespace: string; broker: string } => {
  const [namespace, broker] = namedBy(key)
  return { namespace, broker }
}
