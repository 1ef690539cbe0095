/** What was written of one subscription, and when more may be. Times are ms since 1970. */
export type Pace = {
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

export const newPace: Pace = { at: 0, tokens: burst, notBefore: 0 }

const tokensAt = ({ at, tokens }: Pace, now: number): number => Math.min(burst, tokens + (now - at) / everyMs)

export const mayWrite = (pace: Pace, meaning: string, now: number): boolean =>
  now >= pace.notBefore && (meaning === pace.meaning ? isOld(pace, now) : tokensAt(pace, now) >= 1)

/** Whether its latest write was so long ago that the store must show it. */
export const isOld = ({ at }: Pace, now: number): boolean => now - at >= everyMs

export const wrote = (pace: Pace, text: string, meaning: string, now: number): Pace => ({
  ...{ text, meaning, at: now, notBefore: 0 },
  tokens: pace.at === 0 ? burst : tokensAt(pace, now) - 1,
})

/** Whether it was written all the same is not known. */
export const failed = (pace: Pace, now: number): Pace => ({
  ...{ at: pace.at, tokens: pace.tokens, notBefore: now + againMs },
})
