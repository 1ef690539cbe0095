import { manages } from '../../api/kinds/broker.ts'
import { idOf } from '../../api/resource.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { changeText } from '../../topology/change.ts'
import type { Attached } from '../../topology/references.ts'
import type { Converged, Memory } from './converge.ts'
import { drifted } from './drift.ts'
import { changeMetrics } from './measure.ts'

type AnnounceOptions = { readonly store: Pick<Store, 'record'>; readonly log: Log; readonly metrics: Metrics }

/** Says in logs, metrics and Events what was changed on a broker, and what somebody else had changed there. */
export const announce = (
  { store, log, metrics }: AnnounceOptions,
  { broker }: Attached,
  { planned, applied }: Converged,
  before: Memory,
): void => {
  for (const { planned: made, error } of applied) {
    const fields = { broker: idOf(broker), owner: made.owner, change: changeText(made.change) }
    if (error === undefined) log.debug(fields, 'Changed the broker')
    else log.warn({ ...fields, error }, 'Could not change the broker')
  }
  if (applied.length > 0)
    log.info({ broker: idOf(broker), changes: applied.length }, 'Made the broker equal to the resources')
  changeMetrics(metrics, broker, applied)
  for (const { owner, change, kind } of drifted(planned, before.lastSeen)) {
    metrics.driftDetected.inc({ namespace: broker.metadata.namespace, broker: broker.metadata.name, kind })
    const outcome = manages(broker) ? 'Repaired' : 'Found'
    const message = `${outcome} what somebody else changed on the broker: ${changeText(change)} (of ${owner})`
    store.record(broker, { type: 'Warning', reason: 'DriftDetected', message })
  }
}
