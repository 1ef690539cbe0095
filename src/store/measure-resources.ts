import { type AnyKind, jobKinds, kinds } from '../api/kinds/kinds.ts'
import { subscription } from '../api/kinds/subscription.ts'
import { isDeleting } from '../api/resource.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Store } from './store.ts'

type Measured = Pick<Metrics, 'resources' | 'resourcesReady' | 'resourcesOutdated' | 'delivering'>

/** What the resources are, and what their statuses say. */
export const measureResources = (store: Pick<Store, 'list'>, metrics: Measured): void => {
  metrics.resourcesReady.reset()
  for (const kind of kinds) {
    metrics.resources.set({ kind: kind.kind }, store.list(kind).length)
    // A job is never Ready: it ends.
    if (!jobKinds.some((job) => job.kind === kind.kind)) measureReady(store, kind, metrics)
  }
  measureDelivering(store, metrics)
}

const measureReady = (store: Pick<Store, 'list'>, kind: AnyKind, metrics: Measured): void => {
  let outdated = 0
  for (const resource of store.list(kind)) {
    const ready = resource.status?.conditions?.find(({ type }) => type === 'Ready')
    metrics.resourcesReady.inc({
      kind: kind.kind,
      status: ready?.status ?? 'Unknown',
      reason: ready?.reason ?? 'Pending',
    })
    const seen = ready?.observedGeneration ?? 0
    if (!isDeleting(resource) && seen < resource.metadata.generation) outdated += 1
  }
  metrics.resourcesOutdated.set({ kind: kind.kind }, outdated)
}

const measureDelivering = (store: Pick<Store, 'list'>, metrics: Measured): void => {
  metrics.delivering.reset()
  for (const { metadata, status } of store.list(subscription)) {
    const delivering = status?.conditions?.find(({ type }) => type === 'Delivering')
    if (delivering === undefined) continue
    const { namespace, name } = metadata
    const labels = { namespace, subscription: name, reason: delivering.reason }
    metrics.delivering.set(labels, delivering.status === 'True' ? 1 : 0)
  }
}
