const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/**
 * The delays that every virtual host has, in milliseconds and ascending: those of the default schedule, and others about twice
 * as long as the one before. They are the same for everybody, so no resource adds a queue or takes one away.
 */
export const rungs = [
  100,
  250,
  500,
  second,
  2 * second,
  5 * second,
  10 * second,
  30 * second,
  minute,
  2 * minute,
  5 * minute,
  10 * minute,
  30 * minute,
  hour,
  3 * hour,
  8 * hour,
  24 * hour,
] as const

const [shortest] = rungs
const longest = 24 * hour

/**
 * The rung for a message that must still wait `restMs` of `wholeMs`. A rung that ends the wait is taken where it is at most a
 * tenth of the whole wait (or the shortest rung) too long; else the longest one that fits, after which the message comes back
 * to wait for the rest. No wait of a day takes more than five hops, and none ends early.
 */
export const rungFor = (restMs: number, wholeMs: number = restMs): number => {
  const above = rungs.find((rung) => rung >= restMs)
  if (above !== undefined && above - restMs <= Math.max(wholeMs / 10, shortest)) return above
  return rungs.findLast((rung) => rung <= restMs) ?? longest
}
