import type { ConditionType } from '../../api/conditions.ts'
import { type Broker, manages } from '../../api/kinds/broker.ts'
import { idOf } from '../../api/resource.ts'
import { EndpointError } from '../../rabbit/endpoint-error.ts'
import type { Again } from '../../reconcile/controller.ts'
import { countsEveryMs, type Report, type StatusWriter } from '../../reconcile/status-writer.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { namesOf } from '../../topology/health/removals.ts'
import { retainedOn } from '../../topology/health/retained.ts'
import { unsafetyOf } from '../../topology/health/unsafe-queues.ts'
import { ownerOf } from '../../topology/names.ts'
import type { Owners } from '../../topology/owners.ts'
import { type Attached, membersOf } from '../../topology/references.ts'
import { againAfterMs, type Converged, failuresOf } from './converge.ts'
import { releaseGone, releaseStranded } from './finalizers.ts'
import { withLatestStatuses } from './latest.ts'
import { livingIn } from './living.ts'
import { probeEveryMs } from './probes.ts'
import { report } from './report.ts'
import { unreachableReports } from './unreachable.ts'

type ConcludeOptions = {
  readonly store: Store
  readonly instance: string
  readonly statuses: StatusWriter
  readonly log: Log
  readonly metrics: Pick<Metrics, 'brokerConnected' | 'retainedObjects'>
}

/** While a deleted resource is kept because others still need it, its broker is reconciled again after this. */
const lingerMs = 1_000

/** Reports what was read back in the statuses, then releases deleted resources whose topology is dealt with. */
export const conclude = async (
  { store, instance, statuses, log, metrics }: ConcludeOptions,
  attached: Attached,
  converged: Converged,
): Promise<Again> => {
  const { broker } = attached
  const { wanted, plan, observed, applied, stalled } = converged
  const unsafe = unsafeOwners(attached, instance, converged)
  const isLiving = livingIn(store, instance)
  const inUse = namesOf(wanted)
  // What a Broker that is gone left, and the next one on its virtual host uses, is not left over.
  const retained = retainedOn(instance, observed, (owner) => isLiving(owner) || wanted.owners.has(owner)).filter(
    ({ name }) => !inUse.has(name),
  )
  const { namespace, name } = broker.metadata
  metrics.retainedObjects.set({ namespace, broker: name }, retained.length)
  const [failures, observing] = [failuresOf(applied), !manages(broker)]
  const findings = { wanted, plan, failures, observing, unsafe, stalled, retained }
  const reports = report(withLatestStatuses(attached, store), findings, observed, Date.now())
  sayNews(log, broker, reports)

  let lingers = false
  const release = async (): Promise<void> => {
    if (manages(broker)) lingers = await releaseGone(store, attached, { instance, gone: plan.gone, now: Date.now() })
    else await releaseStranded(store, membersOf(attached), Date.now(), 'now')
  }
  const written = await statuses.writeAll(reports).finally(release)

  const againMs = againAfterMs(broker, converged, Math.random())
  if (lingers) return { againMs: Math.min(againMs, lingerMs) }
  return { againMs: written.includes('later') ? Math.min(againMs, countsEveryMs) : againMs }
}

/**
 * Reports on every resource of the broker why it cannot be used, then releases those that were deleted a while ago.
 *
 * @throws the error itself, but for one that another Secret alone can fix
 */
export const concludeUnusable = async (
  { store, instance, statuses, metrics }: ConcludeOptions,
  attached: Attached,
  owners: Owners,
  error: unknown,
): Promise<Again> => {
  const { namespace, name } = attached.broker.metadata
  const reports = unreachableReports(attached, instance, error, owners)
  if (reports) metrics.brokerConnected.set({ namespace, broker: name }, 0)
  const release = () => releaseStranded(store, membersOf(attached), Date.now(), 'grace')
  await statuses.writeAll(reports ?? []).finally(release)
  if (error instanceof EndpointError) return { againMs: probeEveryMs, failed: true }
  throw error
}

/** What somebody has to do something about on the broker itself. */
const worthALine: ReadonlySet<string> = new Set<ConditionType>(['Conflicted', 'RetainedPresent'])

/** Once, when it is not said in the status yet. */
const sayNews = (log: Log, broker: Broker, reports: readonly Report[]): void => {
  const said = new Set(broker.status?.conditions?.map(({ message }) => message))
  const verdicts = reports.find(({ resource }) => resource === broker)?.verdicts ?? []
  for (const { type, reason, message } of verdicts) {
    if (worthALine.has(type) && !said.has(message)) log.warn({ broker: idOf(broker), reason }, message)
  }
}

const unsafeOwners = (
  { subscriptions }: Attached,
  instance: string,
  { observed }: Pick<Converged, 'observed'>,
): ReadonlyMap<string, string> => {
  const unsafety = unsafetyOf(observed)
  return new Map(
    subscriptions.flatMap((entry) => {
      const problem = unsafety(entry)
      return problem === undefined ? [] : [[ownerOf(instance, entry.subscription), problem] as const]
    }),
  )
}
