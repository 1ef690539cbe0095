import { isDeleting } from '../../api/resource.ts'
import type { Controller } from '../../reconcile/controller.ts'
import type { StatusWriter } from '../../reconcile/status-writer.ts'
import type { Store } from '../../store/store.ts'
import { releaseStranded } from '../topology/finalizers.ts'
import type { WorldView } from '../world/world.ts'
import { policyReports, unresolvedReports } from './report.ts'

export type ReferencesOptions = {
  readonly store: Store
  readonly world: WorldView
  readonly statuses: StatusWriter
}

/** What belongs to no broker is reconciled together, under one key. */
const everything = 'everything'
const keys: ReadonlySet<string> = new Set([everything])

/** What belongs to no broker: resources with a reference that cannot be resolved, and dead-letter policies. */
export const referencesController = ({ store, world, statuses }: ReferencesOptions): Controller => ({
  name: 'references',
  keys: () => keys,
  watch: (wake) => world.onRelevantChange(() => wake(everything)),
  async reconcile() {
    const { resources, attached, unresolved } = world.now()
    const reports = [
      ...unresolvedReports(unresolved.filter(({ resource }) => !isDeleting(resource))),
      ...policyReports(resources, attached.values()),
    ]
    const stranded = unresolved.map(({ resource }) => resource)
    await statuses.writeAll(reports).finally(() => releaseStranded(store, stranded, Date.now(), 'now'))
    return undefined
  },
})
