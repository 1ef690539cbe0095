import type { Store } from './store.ts'

/** What a store offers whose writes wait in a queue, or on the way, after they were asked for. */
type Fencing = {
  /** The same store, that calls `mayWrite` again at the moment a write is really sent. */
  fenced(mayWrite: () => void): Store
}

/** The same store, but that every write asks first: what `assertHeld` throws prevents it, and is thrown. */
export const fenced = (store: Store & Partial<Fencing>, assertHeld: () => void): Store => {
  const inner = store.fenced?.(assertHeld) ?? store
  return {
    ...inner,
    async applyStatus(...write) {
      assertHeld()
      await inner.applyStatus(...write)
    },
    async setFinalizer(...write) {
      assertHeld()
      await inner.setFinalizer(...write)
    },
    record(...notice) {
      assertHeld()
      inner.record(...notice)
    },
  }
}
