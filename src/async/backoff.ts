/** Milliseconds: the first wait at most `first`, no wait longer than `most`. */
export type Backoff = { readonly first: number; readonly most: number }

/**
 * How long to wait before the next try, in milliseconds. It doubles with each failure, and jitter keeps many from trying
 * at the same moment.
 *
 * | failures | `{ first: 100, most: 10_000 }` |
 * | --- | --- |
 * | 1 | 50 … 100 |
 * | 2 | 100 … 200 |
 * | 5 | 800 … 1,600 |
 * | 8 and more | 5,000 … 10,000 |
 */
export const backoffMs = (failures: number, { first, most }: Backoff, random = Math.random): number =>
  jittered(Math.min(most, first * 2 ** (failures - 1)), random)

/** From half of `ms` to all of it. */
export const jittered = (ms: number, random = Math.random): number => ms * (0.5 + random() / 2)
