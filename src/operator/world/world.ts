import type { Resources } from '../../api/kinds/resources.ts'
import { onRelevantChange } from '../../reconcile/fingerprints.ts'
import { gather } from '../../store/gather.ts'
import type { Store } from '../../store/store.ts'
import { type Attached, resolveReferences, type Unresolved } from '../../topology/references.ts'
import { fingerprintOf } from './fingerprint.ts'

/** All resources at one moment, and what their references lead to. */
export type World = {
  readonly resources: Resources
  /** By key of the broker. */
  readonly attached: ReadonlyMap<string, Attached>
  readonly unresolved: readonly Unresolved[]
}

/** The world of a store, the same for all controllers of a process. */
export type WorldView = {
  /** The world as the store has it now. Following every reference is not free: it is done once a change, for all. */
  now(): World
  /**
   * Calls `changed` once at the start, for those who listen from the tick in which the world was created, and then after
   * changes that matter to the operator; statuses that it wrote itself do not. `secrets`: a Secret changed too. Returns what stops it.
   */
  onRelevantChange(changed: (secrets: boolean) => void): () => void
  close(): void
}

/** Changes that arrive within this time are handled as one. */
const gatherMs = 50

export const createWorld = (store: Pick<Store, 'list' | 'get' | 'onChange' | 'namespaceLabels'>): WorldView => {
  const listeners = new Set<(secrets: boolean) => void>()
  let known: World | undefined
  // Subscribes first, so that nobody who is called for a change reads the world before it.
  const stopForgetting = store.onChange(() => {
    known = undefined
  })
  const stopWatching = onRelevantChange(store, fingerprintOf, gatherMs, (secrets) => {
    for (const changed of listeners) changed(secrets)
  })

  const read = (): World => {
    const resources = gather(store)
    return { resources, ...resolveReferences(resources, store.namespaceLabels) }
  }

  return {
    now() {
      known ??= read()
      return known
    },
    onRelevantChange(changed) {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    close() {
      stopForgetting()
      stopWatching()
      known = undefined
    },
  }
}
