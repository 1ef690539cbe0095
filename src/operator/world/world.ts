import type { Resources } from '../../api/kinds/resources.ts'
import { gather } from '../../store/gather.ts'
import type { Store } from '../../store/store.ts'
import { type Attached, resolveReferences, type Unresolved } from '../../topology/references.ts'

/** All resources at one moment, and what their references lead to. */
export type World = {
  readonly resources: Resources
  /** By key of the broker. */
  readonly attached: ReadonlyMap<string, Attached>
  readonly unresolved: readonly Unresolved[]
}

/** Reads the world as the store has it now. Following every reference is not free: it is done once a change, for all. */
export const createWorld = (store: Pick<Store, 'list' | 'onChange'>): { now(): World; close(): void } => {
  let known: World | undefined
  const stop = store.onChange(() => {
    known = undefined
  })
  const read = (): World => {
    const resources = gather(store)
    return { resources, ...resolveReferences(resources) }
  }
  return {
    now: () => {
      known ??= read()
      return known
    },
    close: () => {
      stop()
      known = undefined
    },
  }
}
