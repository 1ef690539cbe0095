import { milliseconds } from '../../src/api/duration.ts'
import type { Published, Terms } from '../history/history.ts'
import { type Planned, topics } from './plan.ts'
import type { Live } from './world.ts'

/** What the checker is told of a Subscription as it was during a storm. */
export const termsOf = (
  { planned, gaps, bound, schedules, mostConcurrent, suspended }: Live,
  exchange: string,
  namespace: string,
  dispatchers: number,
): Terms => ({
  subscription: `${namespace}/${planned.name}`,
  matches: (message, settledAt) => {
    if (message.exchange !== exchange) return 'must not'
    const then = bound.filter(({ from, to }) => settledAt >= from && message.at <= to)
    const isBound = then.map(({ routingKeys }) => isRouted(planned, routingKeys, message.routingKey))
    if (!isBound.includes(true)) return 'must not'
    const isInGap = gaps.some(({ from, to }) => settledAt >= from && message.at <= to)
    return isInGap || isBound.includes(false) ? 'may' : 'must'
  },
  // A disturbance may cut twice, which shows where few are in hand.
  concurrency: (mostConcurrent + 2) * dispatchers,
  maxAttempts: planned.maxAttempts,
  leastAttempts: planned.maxAttempts,
  rejects: (status) => rejecting.has(status),
  delayMs: (attempt, endedAt) =>
    Math.min(
      ...schedules
        // What comes of an attempt is decided a moment after its end.
        .filter(({ from }) => from <= endedAt + 1_000)
        .map(({ schedule }) => milliseconds(schedule[Math.min(attempt, schedule.length) - 1] ?? '0s')),
    ),
  isOrdered: false,
  isSuspended: (at) => suspended.some(({ from, to }) => at >= from && at <= to),
})

/** The default of `deadLetterOn`. */
const rejecting: ReadonlySet<number> = new Set([400, 405, 413, 415, 422])

/** As the exchange of its topic does it. */
export const isRouted = ({ topic, mark }: Planned, routingKeys: readonly string[], key: string): boolean => {
  const type = topics[topic]
  if (type === 'Fanout') return true
  return type === 'Headers' ? key === mark : routingKeys.some((pattern) => matchesKey(pattern, key))
}

/** As a topic exchange does it. https://www.rabbitmq.com/tutorials/tutorial-five-javascript#topic-exchange */
export const matchesKey = (pattern: string, key: Published['routingKey']): boolean => {
  const words = pattern
    .split('.')
    .map((word) => (word === '#' ? '#' : word === '*' ? '[^.]*' : word.replace(/[^\p{L}\d]/gu, '\\$&')))
  const text = words.reduce((all, word, index) => {
    if (word === '#') return index === 0 ? '(?:[^.]+(?:\\.[^.]+)*)?' : `${all}(?:\\.[^.]+)*`
    return index === 0 ? word : `${all}\\.${word}`
  }, '')
  return new RegExp(`^${text}$`, 'u').test(key)
}
