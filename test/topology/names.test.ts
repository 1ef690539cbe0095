import fc from 'fast-check'
import {
  claimOf,
  claimOfPolicy,
  deadLetterQueueOf,
  deadLetterQueueOfQueue,
  delayLevel,
  exactly,
  exchangeOf,
  queueOf as nameOf,
  policyName,
  subscriptionQueueOf,
  unroutedOf,
} from '../../src/topology/names.ts'
import { queueOf, subscriptionOf, topicOf } from './resources.ts'

test('every name says what it is for and whose', () => {
  const [topic, queue, subscription] = [topicOf('orders'), queueOf('work'), subscriptionOf('billing')]
  expect([
    exchangeOf(topic),
    unroutedOf(topic),
    nameOf(queue),
    deadLetterQueueOfQueue(queue),
    subscriptionQueueOf(subscription),
    deadLetterQueueOf(subscription),
    delayLevel(90_000),
  ]).toEqual([
    'shop.orders',
    'waybill.unrouted.shop.orders',
    'shop.work',
    'waybill.dlq.Queue.shop.work',
    'waybill.sub.shop.billing',
    'waybill.dlq.shop.billing',
    'waybill.delay.1m30s',
  ])
})

test('a topic and a queue may have a name of their own', () => {
  expect(exchangeOf(topicOf('orders', { exchange: { name: 'legacy orders' } }))).toBe('legacy orders')
  expect(nameOf(queueOf('work', { name: 'legacy work' }))).toBe('legacy work')
})

test('exactly one name matches, whatever is in it', () => {
  const names = fc.string({ unit: fc.constantFrom(...'ab.*+?^$|()[]{}\\/- #é\n'), minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(names, names, (name, other) => {
      expect(new RegExp(exactly(name)).test(name)).toBe(true)
      expect(new RegExp(exactly(name)).test(other)).toBe(other === name)
    }),
    { examples: [['a.b', 'axb']] },
  )
})

test('the claim can be read back from the name of a policy', () => {
  const claim = claimOf('waybill', 'Queue/shop/work')
  expect(claim).toBe('waybill:Queue/shop/work')
  expect([policyName(claim), policyName(claim, 'dlq')].map(claimOfPolicy)).toEqual([claim, claim])
})
