/** The writes of one subscription's status: what was written, and when more may be. Times are ms since 1970. */
export type WriteBudget = {
  /** What its status holds as far as is known; left out where the store must be read. */
  readonly text?: string | undefined
  /** The fingerprint of the part of it that is written without delay. */
  readonly fingerprint?: string | undefined
  readonly writtenAt: number
  readonly tokens: number
  readonly notBefore: number
}

/** A change of the fingerprint is written at once, at most five in a row, and then, like counts, every 10 s an object. */
const everyMs = 10_000
const burst = 5
/** A write that failed is tried again after this. */
const retryAfterMs = 2_000

export const newBudget: WriteBudget = { writtenAt: 0, tokens: burst, notBefore: 0 }

const tokensAt = ({ writtenAt, tokens }: WriteBudget, now: number): number =>
  Math.min(burst, tokens + (now - writtenAt) / everyMs)

/** Whether a status with this fingerprint may be written now. */
export const mayWrite = (budget: WriteBudget, fingerprint: string, now: number): boolean =>
  now >= budget.notBefore && (fingerprint === budget.fingerprint ? isOld(budget, now) : tokensAt(budget, now) >= 1)

/** Whether its latest write was so long ago that the store must show it. */
export const isOld = ({ writtenAt }: WriteBudget, now: number): boolean => now - writtenAt >= everyMs

/** The budget after a write. */
export const wrote = (budget: WriteBudget, text: string, fingerprint: string, now: number): WriteBudget => ({
  ...{ text, fingerprint, writtenAt: now, notBefore: 0 },
  tokens: budget.writtenAt === 0 ? burst : tokensAt(budget, now) - 1,
})

/** The budget after a write that failed: whether the status was written nevertheless is not known. */
export const failed = (budget: WriteBudget, now: number): WriteBudget => ({
  ...{ writtenAt: budget.writtenAt, tokens: budget.tokens, notBefore: now + retryAfterMs },
})
