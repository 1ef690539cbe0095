/** So many Events of each resource at once, and then one a minute: as client-go, but sooner again. */
const burst = 25
const perTokenMs = 60_000

/** Limits the Events of each resource. `now` is in ms since 1970. */
export const createEventBudgets = () => {
  /** By id, the least recently used first. */
  const budgets = new Map<string, { tokens: number; at: number }>()

  const forgetFull = (now: number): void => {
    for (const [id, { at }] of budgets) {
      if (now - at < burst * perTokenMs) break
      budgets.delete(id)
    }
  }

  return {
    /** Whether the resource may have another Event; takes it from its budget. */
    take(id: string, now: number): boolean {
      forgetFull(now)
      const { tokens, at } = budgets.get(id) ?? { tokens: burst, at: now }
      const left = Math.min(burst, tokens + (now - at) / perTokenMs)
      const isAllowed = left >= 1
      budgets.delete(id)
      budgets.set(id, { tokens: isAllowed ? left - 1 : left, at: now })
      return isAllowed
    },
  }
}
