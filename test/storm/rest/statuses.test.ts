import type { Resource } from '../../../src/api/resource.ts'
import { untruths } from './statuses.ts'

type Condition = NonNullable<NonNullable<Resource['status']>['conditions']>[number]

const condition = (type: string, status = 'True', observedGeneration = 2): Condition =>
  ({ type, status, reason: type, message: '', observedGeneration, lastTransitionTime: '' }) as Condition
const ready = [condition('Accepted'), condition('Programmed'), condition('Ready')]
const withLetters = [...ready, condition('DeadLettersPresent')]
const letters = 'waybill.dlq.shop.s0'
const one = (kind: string, status: object = {}) =>
  ({
    ...{ kind, metadata: { name: 's0', namespace: 'shop', generation: 2 } },
    status: { conditions: ready, ...(kind === 'Subscription' ? { deadLetterQueue: letters } : {}), ...status },
  }) as unknown as Parameters<typeof untruths>[0][number]
const counts: Readonly<Record<string, number>> = {
  [letters]: 3,
  'waybill.unrouted.shop.s0': 2,
  'waybill.unrouted.shop.many': 145,
  'waybill.orphans': 0,
}
const holds = (queue: string): number => counts[queue] ?? 0

test.each([
  one('Broker'),
  one('Topic', { unrouted: 2 }),
  { ...one('Topic', { unrouted: 140 }), metadata: { ...one('Topic').metadata, name: 'many' } },
  one('Subscription', { deadLetters: { count: 3 }, conditions: withLetters }),
  one('Queue', { deadLetterQueue: letters, deadLetters: { count: 3 }, conditions: withLetters }),
  one('Queue'),
])('a status that is true is not complained of', (resource) => {
  expect(untruths([resource], holds)).toEqual([])
})

test.each([
  ['that is not Ready', one('Topic', { unrouted: 2, conditions: [condition('Ready', 'False')] })],
  ['that is Ready for an older generation', one('Broker', { conditions: [condition('Ready', 'True', 1)] })],
  ['that does not say whether it is Ready', one('Broker', { conditions: [] })],
  ['of trouble that is over', one('Broker', { conditions: [...ready, condition('OrphansPresent')] })],
  ['that counts dead letters wrongly', one('Subscription', { deadLetters: { count: 2 }, conditions: withLetters })],
  ['of a Queue that counts no dead letters', one('Queue', { deadLetterQueue: letters, conditions: withLetters })],
  ['that counts no dead letters', one('Subscription', { conditions: withLetters })],
  ['that is silent about dead letters', one('Subscription', { deadLetters: { count: 3 } })],
  [
    'that counts messages that do not wait',
    one('Subscription', {
      ...{ deadLetters: { count: 3 }, backlog: { ready: 1, inFlight: 0 } },
      conditions: withLetters,
    }),
  ],
  ['that counts unrouted messages wrongly', one('Topic', { unrouted: 1 })],
  [
    'that is rounded too much',
    { ...one('Topic', { unrouted: 100 }), metadata: { ...one('Topic').metadata, name: 'many' } },
  ],
  ['that counts orphans where there are none', one('Broker', { orphaned: 1 })],
])('a status %s is found', (_, resource) => {
  expect(untruths([resource], holds)).toHaveLength(1)
})
