import { kindOf } from '../../api/kinds/kinds.ts'
import { isDeleting, type Resource } from '../../api/resource.ts'
import { finalizer, type Store } from '../../store/store.ts'
import type { Plan } from '../../topology/diff.ts'
import { ownerOf } from '../../topology/names.ts'
import { type Attached, membersOf } from '../../topology/references.ts'

/** A deletion does not wait longer than this for a broker that is away. */
export const givenUpAfterMs = 60_000

/** Many resources are deleted one after the other: one deleted within this time after its target still finds the target. */
const lingerMs = 3_000

const hasFinalizer = ({ metadata }: Resource): boolean => metadata.finalizers?.includes(finalizer) ?? false

/** Finalizers that are being added to resources, by owner. */
export type Finalizers = {
  /** Resolves when the resource with this owner has one. */
  ready(owner: string): Promise<void>
  /** Resolves when all have one. */
  allReady(): Promise<unknown>
  /** Resolves when no request is in flight any more. */
  settled(): Promise<unknown>
}

/**
 * Makes sure that no resource is gone before its topology is dealt with. What is declared for one of them need not wait
 * for the finalizers of the others.
 */
export const addFinalizers = (store: Store, resources: readonly Resource[], instance: string): Finalizers => {
  const bare = resources.filter((resource) => !isDeleting(resource) && !hasFinalizer(resource))
  const added = new Map(
    bare.map((resource) => [ownerOf(instance, resource), store.setFinalizer(kindOf(resource), resource, true)]),
  )
  const settled = Promise.allSettled(added.values())
  return {
    ready: async (owner) => added.get(owner),
    allReady: () => Promise.all(added.values()),
    settled: () => settled,
  }
}

/**
 * Removes the finalizers of deleted resources whose topology is dealt with, and says in an Event what stays on the broker.
 * Resolves to whether one of them is kept a while longer because others still need it.
 */
export const releaseGone = async (
  store: Store,
  attached: Attached,
  { instance, gone, now }: Pick<Plan, 'gone'> & { readonly instance: string; readonly now: number },
): Promise<boolean> => {
  const held = neededByOthers(attached, now)
  let lingers = false
  for (const resource of membersOf(attached)) {
    const kept = gone.get(ownerOf(instance, resource))
    if (!isDeleting(resource) || !hasFinalizer(resource) || kept === undefined) continue
    if (held.has(resource)) {
      lingers = true
      continue
    }
    if (kept.length > 0) {
      const message = `Retained on the broker: ${kept.join(', ')}; creating a resource with the same name reclaims it`
      store.record(resource, { type: 'Normal', reason: 'Retained', message })
    }
    await store.setFinalizer(kindOf(resource), resource, false)
  }
  return lingers
}

/** Removes the finalizers of resources whose topology cannot be reached: now, or a minute after their deletion. */
export const releaseStranded = async (
  store: Store,
  resources: readonly Resource[],
  now: number,
  after: 'now' | 'grace',
): Promise<void> => {
  for (const resource of resources) {
    const { deletionTimestamp } = resource.metadata
    if (deletionTimestamp === undefined || !hasFinalizer(resource)) continue
    if (after === 'grace' && now - Date.parse(deletionTimestamp) < givenUpAfterMs) continue
    const message =
      'Its queues and exchanges may still be on the broker, which could not be reached; creating a resource with the same name reclaims them'
    store.record(resource, { type: 'Warning', reason: 'OrphanedTopology', message })
    await store.setFinalizer(kindOf(resource), resource, false)
  }
}

/** Resources that others, which are being deleted too or are about to be, still need to find the broker. */
const neededByOthers = (attached: Attached, now: number): ReadonlySet<Resource> => {
  const { broker, topics, queues, subscriptions } = attached
  const needed = new Set<Resource>()
  const need = (target: Resource, by: Resource): void => {
    const since = Date.parse(target.metadata.deletionTimestamp ?? '')
    if (isDeleting(by) || now - since < lingerMs) needed.add(target)
  }
  for (const { subscription, source } of subscriptions) {
    need('topic' in source ? source.topic : source.queue, subscription)
    need(broker, subscription)
  }
  for (const { queue, topics: bound } of queues) {
    for (const topic of bound) need(topic, queue)
    need(broker, queue)
  }
  for (const topic of topics) need(broker, topic)
  return needed
}
