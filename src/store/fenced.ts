import type { Store } from './store.ts'

/** The same store, but that every write asks first: what `assertHeld` throws prevents it, and is thrown. */
export const fenced = (store: Store, assertHeld: () => void): Store => ({
  ...store,
  async applyStatus(...write) {
    assertHeld()
    await store.applyStatus(...write)
  },
  async setFinalizer(...write) {
    assertHeld()
    await store.setFinalizer(...write)
  },
  record(...happening) {
    assertHeld()
    store.record(...happening)
  },
})
