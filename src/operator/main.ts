import type { LookupFunction } from 'node:net'
import { broker as brokerKind } from '../api/kinds/broker.ts'
import { kinds } from '../api/kinds/kinds.ts'
import { subscription } from '../api/kinds/subscription.ts'
import { idOf, isDeleting, type Kind } from '../api/resource.ts'
import { EndpointError } from '../rabbit/endpoint.ts'
import { onGone } from '../reconcile/on-gone.ts'
import { countsEveryMs, statusWriter } from '../reconcile/status-writer.ts'
import { type Again, workQueue } from '../reconcile/work-queue.ts'
import { gather } from '../store/gather.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { changeText } from '../topology/change.ts'
import { type Attached, resolveReferences } from '../topology/references.ts'
import { connections } from './topology/connections.ts'
import { drifted } from './topology/drift.ts'
import { addFinalizers, releaseGone, releaseStranded } from './topology/finalizers.ts'
import { withLatestStatuses } from './topology/latest.ts'
import { backlogMetrics, brokerKeyOf, changeMetrics } from './topology/measure.ts'
import {
  againAfterMs,
  failuresOf,
  type Memory,
  manages,
  noMemory,
  ownerOn,
  type PassResult,
  pass,
} from './topology/pass.ts'
import { probeEveryMs, startProbes } from './topology/probes.ts'
import { report } from './topology/report.ts'
import { isExpected, membersOf, policyReports, unreachableReports, unresolvedReports } from './topology/unreachable.ts'
import { wakeOn } from './triggers.ts'

export type OperatorOptions = {
  readonly store: Store
  /** Marks what this installation declares; two installations on one virtual host need two names. */
  readonly instance: string
  readonly log: Log
  readonly metrics: Metrics
  /** Resolves the names of brokers; the system when left out. */
  readonly lookup?: LookupFunction
  /** Called right before anything is sent that changes a broker; throws where that is for another process to do. */
  readonly fence?: () => void
}

export type Running = {
  /** Every broker was looked at once. */
  ready(): boolean
  /** Resolves when everything in flight has ended, after the signal. */
  readonly done: Promise<void>
}

/** The key of what belongs to no broker: unresolved resources and dead-letter policies. */
const loose = ''

/** What is kept for others a little longer is looked at again after this. */
const lingerLookMs = 1_000

/** Keeps RabbitMQ equal to the resources until the signal aborts. */
export const startOperator = (options: OperatorOptions, signal: AbortSignal): Running => {
  const { store, instance, log, metrics, lookup, fence } = options
  const management = connections({ store, lookup, fence })
  const statuses = statusWriter(store, metrics, () => new Date())
  const memories = new Map<string, Memory>()
  const lookedAt = new Set<string>()

  const reconcileBroker = async (key: string): Promise<Again | undefined> => {
    const attached = resolveReferences(gather(store)).attached.get(key)
    if (attached === undefined) {
      memories.delete(key)
      await management.drop(key)
      await metrics.forgetBroker(...brokerKeyOf(key))
      return undefined
    }
    const labels = { namespace: attached.broker.metadata.namespace, broker: attached.broker.metadata.name }
    const stopTimer = metrics.reconcileDuration.startTimer(labels)
    try {
      const result = await look(key, attached)
      metrics.brokerConnected.set(labels, 1)
      metrics.reconciles.inc({ ...labels, result: 'done' })
      probes.add(key, probeEveryMs)
      return result
    } catch (error) {
      signal.throwIfAborted()
      metrics.reconciles.inc({ ...labels, result: 'failed' })
      const { owners } = memories.get(key) ?? noMemory
      const reports = unreachableReports(attached, instance, error, owners)
      if (reports) metrics.brokerConnected.set(labels, 0)
      if (!isExpected(error)) metrics.reconcileErrors.inc()
      const release = () => releaseStranded(store, membersOf(attached), Date.now(), false)
      await statuses.writeAll(reports ?? []).finally(release)
      if (error instanceof EndpointError) return { againMs: probeEveryMs }
      throw error
    } finally {
      lookedAt.add(key)
      stopTimer()
    }
  }

  const look = async (key: string, attached: Attached): Promise<Again> => {
    const { broker } = attached
    const connection = await management.to(key, broker)
    const { ready, allReady, settled } = addFinalizers(store, manages(broker) ? membersOf(attached) : [], instance)
    const memory = memories.get(key) ?? noMemory
    const result = await pass(attached, instance, connection, memory, Date.now(), ready, signal).finally(settled)
    await allReady()
    memories.set(key, result.memory)
    sayWhatHappened(attached, result, memory)
    const { wanted, plan, observed, applied } = result
    const findings = { wanted, plan, failures: failuresOf(applied), observing: !manages(broker) }
    backlogMetrics(metrics, attached, observed, memory)
    const living = new Set(kinds.flatMap((kind) => store.list<Kind>(kind)).map((each) => ownerOn(instance, each)))
    const current = withLatestStatuses(attached, store)
    let lingers = false
    const release = async () => {
      if (manages(broker)) lingers = await releaseGone(store, attached, instance, result, Date.now())
      else await releaseStranded(store, membersOf(attached), Date.now(), true)
    }
    const written = await statuses.writeAll(report(current, findings, observed, living)).finally(release)
    const againMs = againAfterMs(broker, result, Math.random())
    if (lingers) return { againMs: Math.min(againMs, lingerLookMs) }
    return { againMs: written.includes('later') ? Math.min(againMs, countsEveryMs) : againMs }
  }

  const sayWhatHappened = ({ broker }: Attached, { planned, applied }: PassResult, memory: Memory) => {
    for (const {
      planned: { owner, change },
      error,
    } of applied) {
      const fields = { broker: idOf(broker), owner: owner, change: changeText(change) }
      if (error === undefined) log.debug(fields, 'Changed the broker')
      else log.warn({ ...fields, error }, 'Could not change the broker')
    }
    if (applied.length > 0)
      log.info({ broker: idOf(broker), changes: applied.length }, 'Made the broker equal to the resources')
    changeMetrics(metrics, broker, applied)
    for (const { owner, change, kind } of drifted(planned, memory.lastSeen)) {
      metrics.driftDetected.inc({ namespace: broker.metadata.namespace, broker: broker.metadata.name, kind })
      const outcome = manages(broker) ? 'Repaired' : 'Found'
      const message = `${outcome} what somebody else changed on the broker: ${changeText(change)}`
      store.record(broker, { type: 'Warning', reason: 'DriftDetected', message: `${message} (of ${owner})` })
    }
  }

  const reconcileLoose = async (): Promise<undefined> => {
    const resources = gather(store)
    const { attached, unresolved } = resolveReferences(resources)
    const reports = [
      ...unresolvedReports(unresolved.filter(({ resource }) => !isDeleting(resource))),
      ...policyReports(resources, attached.values()),
    ]
    const stranded = unresolved.map(({ resource }) => resource)
    await statuses.writeAll(reports).finally(() => releaseStranded(store, stranded, Date.now(), true))
  }

  const queue = workQueue(
    {
      work: (key) => (key === loose ? reconcileLoose() : reconcileBroker(key)),
      failed(key, error, retryMs) {
        const fields = { broker: key, retryMs: Math.round(retryMs) }
        if (!isExpected(error)) return log.error({ ...fields, error }, 'A pass over the broker failed')
        // The statuses have said it already; every further try says nothing new.
        log.debug({ ...fields, reason: error.message }, 'The broker cannot be used')
      },
      random: Math.random,
    },
    signal,
  )
  const probes = startProbes(store, management, (key) => queue.add(key), signal)
  const stopForgetting = kinds.map((kind) =>
    onGone(store, kind, (namespace, name) => {
      statuses.forget(`${kind.kind}/${namespace}/${name}`)
      if (kind.kind === subscription.kind) void metrics.forgetSubscription(namespace, name)
    }),
  )
  const stopWaking = wakeOn(store, (key, delayMs) => queue.add(key ?? loose, delayMs))

  return {
    ready: () => store.list(brokerKind).every(({ metadata }) => lookedAt.has(`${metadata.namespace}/${metadata.name}`)),
    done: Promise.all([queue.done, probes.done]).then(async () => {
      stopWaking()
      for (const stop of stopForgetting) stop()
      await management.close()
    }),
  }
}
