import { isDeleting } from '../../api/resource.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { onRelevantChange } from '../../reconcile/fingerprints.ts'
import type { StatusWriter } from '../../reconcile/status-writer.ts'
import type { Store } from '../../store/store.ts'
import { releaseStranded } from '../topology/finalizers.ts'
import { fingerprintOf, gatherMs } from '../topology/triggers.ts'
import type { World } from '../world/world.ts'
import { policyReports, unresolvedReports } from './report.ts'

export type ReferencesOptions = {
  readonly store: Store
  readonly world: () => World
  readonly statuses: StatusWriter
}

/** Everything that belongs to no broker is reconciled together. */
const everything = 'everything'
const keys: ReadonlySet<string> = new Set([everything])

/** What belongs to no broker: resources of which a reference leads nowhere, and dead-letter policies. */
export const referencesController = ({ store, world, statuses }: ReferencesOptions): Controller => ({
  name: 'references',
  keys: () => keys,
  watch: (wake) => onRelevantChange(store, fingerprintOf, gatherMs, () => wake(everything)),
  async reconcile() {
    const { unresolved, ...rest } = world()
    const reports = [
      ...unresolvedReports(unresolved.filter(({ resource }) => !isDeleting(resource))),
      ...policyReports(rest),
    ]
    const stranded = unresolved.map(({ resource }) => resource)
    await statuses.writeAll(reports).finally(() => releaseStranded(store, stranded, Date.now(), 'now'))
    return undefined
  },
})
