import type { Published, Terms } from '../history/history.ts'
import { type Planned, topics } from './plan.ts'
import type { Live } from './world.ts'

/** What the checker is told of a Subscription as it was during a storm. */
export const termsOf = (
  { planned, gaps, bound }: Live,
  exchange: string,
  namespace: string,
  dispatchers: number,
): Terms => ({
  subscription: `${namespace}/${planned.name}`,
  matches: (message, settledAt) => {
    if (message.exchange !== exchange) return 'must not'
    const then = bound.filter(({ from, to }) => settledAt >= from - 10_000 && message.at <= to)
    const isBound = then.map(({ routingKeys }) => isRouted(planned, routingKeys, message.routingKey))
    if (!isBound.includes(true)) return 'must not'
    const isInGap = gaps.some(({ from, to }) => settledAt >= from - 2_000 && message.at <= to)
    return isInGap || isBound.includes(false) ? 'may' : 'must'
  },
  concurrency: 20 * dispatchers,
  maxAttempts: planned.maxAttempts,
  // Edits may shorten any schedule to this.
  delayMs: () => 100,
  isOrdered: false,
})

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
