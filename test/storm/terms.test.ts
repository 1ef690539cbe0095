import type { Published } from '../history/history.ts'
import type { Planned } from './plan.ts'
import { isRouted, matchesKey, termsOf } from './terms.ts'
import type { Live } from './world.ts'

const forever = Number.POSITIVE_INFINITY
const planned = { name: 's0', topic: 'orders', mark: 'red', maxAttempts: 3 } as Planned

const matches = (at: number, key: string, live: Partial<Live> = {}, exchange = 'shop.orders') => {
  const bound = [{ routingKeys: ['order.*'], from: 0, to: forever }]
  const message = { is: 'published', id: 'm1', at, exchange, routingKey: key, content: {} } satisfies Published
  return termsOf({ planned, gaps: [], bound, ...live } as unknown as Live, 'shop.orders', 'shop', 1).matches(
    message,
    message.at + 5,
  )
}

test('a message must come where it was bound, and must not elsewhere', () => {
  expect(matches(50_000, 'order.placed')).toBe('must')
  expect(matches(50_000, 'mail.sent')).toBe('must not')
  expect(matches(50_000, 'order.placed', {}, 'shop.news')).toBe('must not')
})

test('a message may come while there may have been no queue', () => {
  const gaps = [{ from: 40_000, to: 60_000 }]
  expect(matches(50_000, 'order.placed', { gaps })).toBe('may')
  expect(matches(50_000, 'mail.sent', { gaps })).toBe('must not')
  expect(matches(61_000, 'order.placed', { gaps })).toBe('must')
})

test('a message may come while its binding is being changed, and the new binding decides after that', () => {
  const bound = [
    { routingKeys: ['order.*'], from: 0, to: 60_000 },
    { routingKeys: ['mail.*', 'order.placed'], from: 40_000, to: forever },
  ]
  expect(matches(20_000, 'mail.sent', { bound })).toBe('must not')
  expect(matches(50_000, 'mail.sent', { bound })).toBe('may')
  expect(matches(50_000, 'order.cancelled', { bound })).toBe('may')
  expect(matches(50_000, 'order.placed', { bound })).toBe('must')
  expect(matches(61_000, 'mail.sent', { bound })).toBe('must')
  expect(matches(61_000, 'order.cancelled', { bound })).toBe('must not')
})

test('what is edited later decides nothing about a message that was confirmed before', () => {
  const bound = [
    { routingKeys: ['order.*'], from: 0, to: 60_000 },
    { routingKeys: ['mail.*'], from: 40_000, to: forever },
  ]
  const gaps = [{ from: 40_000, to: 60_000 }]
  expect(matches(35_000, 'order.placed', { bound, gaps })).toBe('must')
  expect(matches(35_000, 'mail.sent', { bound, gaps })).toBe('must not')
})

test('a delay is the shortest of the schedules that there had been when its attempt ended', () => {
  const schedules = [
    { from: 0, schedule: ['500ms', '2s'] },
    { from: 10_000, schedule: ['1s'] },
  ]
  const { delayMs } = termsOf({ planned, gaps: [], bound: [], schedules } as unknown as Live, 'shop.orders', 'shop', 1)
  expect([delayMs(1, 5_000), delayMs(2, 5_000), delayMs(3, 5_000)]).toEqual([500, 2_000, 2_000])
  expect([delayMs(1, 15_000), delayMs(2, 15_000)]).toEqual([500, 1_000])
})

test.each([
  ['news', 'anything', true],
  ['marked', 'red', true],
  ['marked', 'green', false],
  ['orders', 'order.placed', true],
  ['orders', 'mail.sent', false],
] as const)('the topic %s and the key %s', (topic, key, expected) => {
  expect(isRouted({ ...planned, topic }, ['order.*'], key)).toBe(expected)
})

test.each([
  ['#', 'order.placed', true],
  ['order.*', 'order.placed', true],
  ['order.*', 'order.paid.late', false],
  ['order.#', 'order.paid.late', true],
  ['order.#', 'order', true],
  ['order.#', 'orders.x', false],
  ['mail.*', 'mail.sent', true],
  ['größe.#', 'größe.ändern', true],
])('the binding key %s and the routing key %s', (pattern, key, expected) => {
  expect(matchesKey(pattern, key)).toBe(expected)
})

test('a message that the broker read late may have come when the subscription was gone', () => {
  const planned = { topic: 'orders', routingKeys: ['order.*'] }
  const bound = [{ from: 0, to: Number.POSITIVE_INFINITY, routingKeys: ['order.*'] }]
  const gaps = [{ from: 50_000, to: 60_000 }]
  const terms = termsOf({ planned, gaps, bound } as unknown as Live, 'shop.orders', 'shop', 1)
  const message = {
    is: 'published',
    at: 40_000,
    id: 'm',
    exchange: 'shop.orders',
    routingKey: 'order.placed',
    content: {},
  } as const
  expect(terms.matches(message, 40_010)).toBe('must')
  expect(terms.matches(message, 55_000)).toBe('may')
  expect(terms.matches(message, Number.POSITIVE_INFINITY)).toBe('may')
})
