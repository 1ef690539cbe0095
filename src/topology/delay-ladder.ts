import { milliseconds } from '../api/duration.ts'
import type { Subscription } from '../api/kinds/subscription.ts'
import { subscription } from '../api/kinds/subscription.ts'

/** Levels that always exist, so that any Retry-After can be waited for in a few hops. */
const standardLevels: readonly number[] =
  subscription.spec.properties.delivery.properties.retry.properties.schedule.default.map(milliseconds)

/** The delays, in milliseconds and ascending, that the subscriptions of one broker share. */
export const ladder = (subscriptions: readonly Subscription[]): readonly number[] => {
  // Thousands of subscriptions have few different delays.
  const delays = new Set<string>()
  for (const { spec } of subscriptions) for (const delay of spec.delivery.retry.schedule) delays.add(delay)
  const levels = new Set([...standardLevels, ...[...delays].map(milliseconds)])
  return [...levels].sort((a, b) => a - b)
}

/**
 * The level for a message that must wait `delayMs`. A level at most a quarter longer ends the wait in one hop; else
 * the longest level that fits, after which the message comes back to wait for the rest; else the shortest level.
 *
 * @throws RangeError where `levels` is empty
 */
export const levelFor = (levels: readonly number[], delayMs: number): number => {
  const above = levels.find((level) => level >= delayMs)
  if (above !== undefined && above <= delayMs * 1.25) return above
  const below = levels.findLast((level) => level <= delayMs)
  const level = below ?? above
  if (level === undefined) throw new RangeError('The delay ladder has no level')
  return level
}
