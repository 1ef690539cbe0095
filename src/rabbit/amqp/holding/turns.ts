/** Who holds the queue of a key now, and who waits for it: each entry ends with the last of them. */
const turns = new Map<string, Promise<void>>()

/**
 * Waits until nobody else in this process holds the queue: who holds messages hides them from all others, who would take what is
 * left for everything. Resolves to what ends the turn; it may be called twice.
 */
export const turnFor = async (key: string): Promise<() => void> => {
  const before = turns.get(key)
  const mine = Promise.withResolvers<void>()
  const both = before ? before.then(() => mine.promise) : mine.promise
  turns.set(key, both)
  await before
  return () => {
    mine.resolve()
    if (turns.get(key) === both) turns.delete(key)
  }
}
