import { setTimeout } from 'node:timers/promises'

/** Milliseconds: the first wait at most `first`, no wait longer than `most`. */
export type Backoff = { readonly first: number; readonly most: number }

/**
 * How long to wait before the next try, in milliseconds. It doubles with each failure; jitter keeps many from trying at
 * the same moment.
 *
 * | failures | `{ first: 100, most: 10_000 }` |
 * | --- | --- |
 * | 1 | 50 … 100 |
 * | 2 | 100 … 200 |
 * | 5 | 800 … 1,600 |
 * | 8 and more | 5,000 … 10,000 |
 */
export const backoffMs = (failures: number, { first, most }: Backoff, random = Math.random): number => {
  const ceiling = Math.min(most, first * 2 ** (failures - 1))
  return ceiling * (0.5 + random() / 2)
}

/** Waits so many milliseconds, or until the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined)

/** What `work` resolves to, or `undefined` once the signal aborts, whichever is first. */
export const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> => {
  if (signal === undefined) return work
  const aborted = Promise.withResolvers<undefined>()
  const abort = () => aborted.resolve(undefined)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort)
  return Promise.race([aborted.promise, work]).finally(() => signal.removeEventListener('abort', abort))
}
