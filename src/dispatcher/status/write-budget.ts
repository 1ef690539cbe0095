/** What was written of one subscription, and when more may be. Times are ms since 1970. */
export type WriteBudget = {
  /** What its status says as far as is known; left out, that is for the store to tell. */
  readonly text?: string | undefined
  /** The part of it that is not to wait. */
  readonly meaning?: string | undefined
  readonly at: number
  readonly tokens: number
  readonly notBefore: number
}

/** A change of meaning is written at once, at most five in a row, and then, like counts, every 10 s an object. */
const everyMs = 10_000
const burst = 5
/** A write that failed is tried again after this. */
const againMs = 2_000

export const newBudget: WriteBudget = { at: 0, tokens: burst, notBefore: 0 }

const tokensAt = ({ at, tokens }: WriteBudget, now: number): number => Math.min(burst, tokens + (now - at) / everyMs)

export const mayWrite = (budget: WriteBudget, meaning: string, now: number): boolean =>
  now >= budget.notBefore && (meaning === budget.meaning ? isOld(budget, now) : tokensAt(budget, now) >= 1)

/** Whether its latest write was so long ago that the store must show it. */
export const isOld = ({ at }: WriteBudget, now: number): boolean => now - at >= everyMs

export const wrote = (budget: WriteBudget, text: string, meaning: string, now: number): WriteBudget => ({
  ...{ text, meaning, at: now, notBefore: 0 },
  tokens: budget.at === 0 ? burst : tokensAt(budget, now) - 1,
})

/** Whether it was written all the same is not known. */
export const failed = (budget: WriteBudget, now: number): WriteBudget => ({
  ...{ at: budget.at, tokens: budget.tokens, notBefore: now + againMs },
})
