import type { Log } from './log.ts'
import type { Change } from './store.ts'

type Listener = (change: Change) => void

/** Announces changes to listeners; `inOneGo` holds announcements back until all of its changes are made. */
export const createChanges = (log: Pick<Log, 'error'>) => {
  const listeners = new Set<Listener>()
  let waiting: Change[] = []
  let holding = false

  const flush = (): void => {
    const changes = waiting
    waiting = []
    for (const change of changes) {
      for (const listener of listeners) {
        try {
          listener(change)
        } catch (error) {
          log.error({ error, change }, 'A change listener failed')
        }
      }
    }
  }

  return {
    announce(change: Change): void {
      waiting.push(change)
      if (!holding) flush()
    },
    /** Returns the number of changes. */
    inOneGo(make: () => void): number {
      holding = true
      try {
        make()
      } finally {
        holding = false
      }
      const count = waiting.length
      flush()
      return count
    },
    onChange(listener: Listener): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
