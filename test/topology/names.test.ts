import fc from 'fast-check'
import {
  deadLetterQueueOf,
  deadLetterQueueOfQueue,
  delayLevel,
  exactly,
  exactlyEach,
  exchangeOf,
  queueOf as nameOf,
  ownerOf,
  ownerOfPolicy,
  policyName,
  subscriptionQueueOf,
  unroutedOf,
} from '../../src/topology/names.ts'
import { queueOf, subscriptionOf, topicOf } from './resources.ts'

test('every name on the broker shows its purpose and the resource that it belongs to', () => {
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

test('a Topic and a Queue may choose their name on the broker', () => {
  expect(exchangeOf(topicOf('orders', { exchange: { name: 'legacy orders' } }))).toBe('legacy orders')
  expect(nameOf(queueOf('work', { name: 'legacy work' }))).toBe('legacy work')
})

test('the pattern for one name matches that name alone, whatever characters it has', () => {
  const names = fc.string({ unit: fc.constantFrom(...'ab.*+?^$|()[]{}\\/- #é\n'), minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(names, names, (name, other) => {
      expect(new RegExp(exactly(name)).test(name)).toBe(true)
      expect(new RegExp(exactly(name)).test(other)).toBe(other === name)
    }),
    { examples: [['a.b', 'axb']] },
  )
})

test('the patterns for many names are few and short enough for RabbitMQ, and match each name once and no other', () => {
  const name = fc.string({ unit: fc.constantFrom(...'ab.*|)-é\u{1f600}\u{1f601}'), minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 200 }), name, (names, other) => {
      const groups = exactlyEach(names)
      const matching = (one: string) => groups.filter(({ pattern }) => new RegExp(pattern).test(one))
      for (const one of names) expect(matching(one)).toHaveLength(1)
      expect(matching(other)).toHaveLength(names.includes(other) ? 1 : 0)
      for (const { first, pattern } of groups) {
        expect(names).toContain(first)
        expect(Buffer.byteLength(pattern)).toBeLessThanOrEqual(1024)
      }
    }),
    { examples: [[['ab', 'abc', 'abcd'], 'abcde']] },
  )
  const numbered = Array.from({ length: 1000 }, (_, number) => `waybill.sub.shop.billing-${number}`)
  expect(exactlyEach(numbered).length).toBeLessThan(8)
})

test('the owner can be read from the name of a policy', () => {
  const owner = ownerOf('waybill', { kind: 'Queue', metadata: { namespace: 'shop', name: 'work' } })
  expect(owner).toBe('waybill:Queue/shop/work')
  expect([policyName(owner), policyName(owner, 'dlq')].map(ownerOfPolicy)).toEqual([owner, owner])
})
