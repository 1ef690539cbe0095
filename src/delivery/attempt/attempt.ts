import type { History } from '../message/history.ts'
import type { Outcome } from './outcome.ts'

/** One try to deliver a message. */
export type Attempt = {
  /** From 1, over all the times that the message comes back from a delay. */
  readonly number: number
  /** When it began, in ms since 1970. */
  readonly begunAt: number
  /** No other attempt from this time on, in ms since 1970: the message has a time to live. */
  readonly expiresAt: number | undefined
  /** What happened to the message before. */
  readonly history: History
}

/**
 * The attempt that follows a history and begins at `now` (ms since 1970). When a message came into its queue is not known,
 * but it has not expired there: its time to live is counted from the first attempt on.
 */
export const attemptAfter = (history: History, now: number): Attempt => ({
  number: history.attempts + 1,
  begunAt: now,
  expiresAt: history.expiresAt ?? (history.timeToLiveMs === undefined ? undefined : now + history.timeToLiveMs),
  history,
})

/** An attempt that is over, at `endedAt` (ms since 1970). `outcome` is `undefined` where the message was not tried. */
export type Ended = {
  readonly attempt: Attempt
  readonly outcome: Outcome | undefined
  readonly endedAt: number
  /** Its place in a trace, as a `traceparent`, where it was traced. */
  readonly trace?: string | undefined
}
