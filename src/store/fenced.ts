import type { Store } from './store.ts'

/** Offered by a store whose writes may wait between the call and the moment at which they are sent. */
type Fencing = {
  /** The same store, which calls `fence` again at the moment at which a write is sent. */
  fenced(fence: () => void): Store
}

/** The same store, which calls `fence` before each write: what it throws prevents the write, and is thrown. */
export const fenced = (store: Store & Partial<Fencing>, fence: () => void): Store => {
  const inner = store.fenced?.(fence) ?? store
  return {
    ...inner,
    async applyStatus(...write) {
      fence()
      await inner.applyStatus(...write)
    },
    async setFinalizer(...write) {
      fence()
      await inner.setFinalizer(...write)
    },
    async remove(...write) {
      fence()
      await inner.remove(...write)
    },
    record(...notice) {
      fence()
      inner.record(...notice)
    },
  }
}
