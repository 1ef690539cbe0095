/** Of each resource so many Events at once, and then one a minute: as client-go, but sooner again. */
const burst = 25
const perTokenMs = 60_000

/** How many Events may be recorded of each resource. */
export const createEventBudgets = () => {
  /** By the id of the resource, the longest untouched first. */
  const budgets = new Map<string, { tokens: number; at: number }>()
  return {
    /** Takes one from the budget of a resource, if there is one left. `now` is in ms since 1970. */
    take(id: string, now: number): boolean {
      const budget = budgets.get(id) ?? { tokens: burst, at: now }
      budget.tokens = Math.min(burst, budget.tokens + (now - budget.at) / perTokenMs)
      budget.at = now
      budgets.delete(id)
      budgets.set(id, budget)
      if (budget.tokens < 1) return false
      budget.tokens -= 1
      return true
    },
    /** Forgets budgets that are full again. */
    forget(now: number): void {
      for (const [id, { at }] of budgets) {
        if (now - at < burst * perTokenMs) break
        budgets.delete(id)
      }
    },
  }
}
