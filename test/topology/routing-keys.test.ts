import { doubtfulKeys } from '../../src/topology/routing-keys.ts'
import { queueOf, subscriptionOf } from './resources.ts'

test.each(['order.*', '#', '*.#', 'order.placed', 'order', ''])('%s is a key that means what it says', (key) => {
  expect(doubtfulKeys(subscriptionOf('a', { filter: { routingKeys: [key] } }))).toEqual([])
})

test.each([
  ['order*', 'order*'],
  ['order.**', '**'],
  ['a.#b.c', '#b'],
])('%s is doubtful: its word %s is no wildcard', (key, word) => {
  const bindings = [{ topicRef: { name: 'orders' } }, { topicRef: { name: 'orders' }, routingKeys: ['x', key] }]
  expect(doubtfulKeys(queueOf('a', { bindings }))).toEqual([
    {
      field: 'spec.bindings[1].routingKeys[1]',
      message: `${key} matches the word ${word} alone: * and # stand for words only as a word of their own, as in order.* or order.#`,
    },
  ])
})
