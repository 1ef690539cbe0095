import fc from 'fast-check'
import { check, type Fault } from './check.ts'
import { disturbed, found, historyOf, letter, parked, published, retried, tried } from './entries.ts'
import type { Entry, Terms } from './history.ts'

const rejected = letter({ reason: 'Rejected', attempts: 1, status: 422 })

test.each<[string, readonly Entry[]]>([
  ['delivered at once', [...published('a'), ...tried('a', { at: 100 })]],
  ['delivered at the third attempt', [...retried('a'), ...tried('a', { at: 3_300, attempt: 3 })]],
  ['given up', [...retried('a'), ...tried('a', { at: 3_300, attempt: 3, status: 503 }), found('a')]],
  ['refused by the broker and lost', [...published('a').slice(0, 1), { is: 'refused', at: 5, id: 'a' }]],
  ['of unknown fate and delivered', [...published('a').slice(0, 1), ...tried('a', { at: 100 })]],
  ['for nobody, and parked', [...published('a', 0, 'shop.mail'), parked('a')]],
  [
    'delivered twice around a kill',
    [...published('a'), ...tried('a', { at: 100 }), disturbed(105), ...tried('a', { at: 900 })],
  ],
  [
    'with two copies after a kill, of which one is given up',
    [
      ...retried('a'),
      disturbed(1_205),
      ...tried('a', { at: 1_300, attempt: 2, status: 503 }),
      ...tried('a', { at: 3_300, attempt: 3 }),
      ...tried('a', { at: 3_400, attempt: 3, status: 503 }),
      found('a'),
    ],
  ],
  [
    'cut off and tried again',
    [...published('a'), ...tried('a', { at: 100, status: 0 }), ...tried('a', { at: 1_200, attempt: 2 })],
  ],
  [
    'stored twice by a fault, and delivered and given up',
    [...published('a'), disturbed(50), ...tried('a', { at: 3_300, attempt: 3 }), found('a')],
  ],
  [
    'that came back unseen by a fault after it was delivered, and given up',
    [
      ...published('a'),
      ...tried('a', { at: 100 }),
      disturbed(105),
      disturbed(9_000, 9_500, { hides: 'requests' }),
    ].concat(found('a')),
  ],
  [
    'whose first attempt was written down too late',
    [
      ...published('a'),
      disturbed(1_000, 2_000, { hides: 'times' }),
      ...tried('a', { at: 1_900, status: 0 }),
      ...tried('a', { at: 2_000, attempt: 2 }),
    ],
  ],
])('a message %s is as it should be', (_, entries) => {
  expect(check(historyOf(entries))).toEqual([])
})

const good = [...published('good'), ...tried('good', { at: 50 })]

test.each<[string, Fault, readonly Entry[], Partial<Terms>?]>([
  ['confirmed and never seen again', 'lost', published('a')],
  ['answered 503 and gone', 'lost', [...published('a'), ...tried('a', { at: 100, status: 503 })]],
  ['cut off by a fault and gone', 'lost', [...published('a'), disturbed(50), ...tried('a', { at: 100, status: 0 })]],
  ['never published', 'invented', tried('a', { at: 100 })],
  ['never published, and a dead letter', 'invented', [found('a')]],
  ['of another subscription', 'invented', [...published('a', 0, 'shop.mail'), ...tried('a', { at: 100 })]],
  [
    'at a subscription that does not exist',
    'invented',
    [...published('a'), ...tried('a', { at: 100 }), ...tried('a', { at: 100, subscription: 'evil/x' })],
  ],
  ['with another body', 'changed', [...published('a'), ...tried('a', { at: 100, content: { body: 'c' } })]],
  [
    'with a header of another type',
    'changed',
    [
      ...published('a'),
      ...tried('a', { at: 100, status: 422 }),
      found('a', 'dead-letters', { letter: rejected, content: { body: 'b', headers: { tenant: 'xa' } } }),
    ],
  ],
  [
    'without one of its headers',
    'changed',
    [
      ...published('a'),
      ...tried('a', { at: 100, status: 422 }),
      found('a', 'dead-letters', { letter: rejected, content: { body: 'b', headers: {} } }),
    ],
  ],
  [
    'delivered twice for no reason',
    'doubled',
    [...published('a'), ...tried('a', { at: 100 }), ...tried('a', { at: 900 })],
  ],
  [
    'delivered twice long before a fault',
    'doubled',
    [...published('a'), ...tried('a', { at: 100 }), ...tried('a', { at: 900 }), disturbed(7_000)],
  ],
  [
    'answered 2xx and dead-lettered',
    'dead-lettered',
    [...retried('a'), ...tried('a', { at: 3_300, attempt: 3 }), found('a')],
  ],
  [
    'answered 2xx and dead-lettered, with a fault long after that',
    'dead-lettered',
    [
      ...retried('a'),
      ...tried('a', { at: 3_300, attempt: 3 }),
      disturbed(9_000, 9_100, { hides: 'requests' }),
      found('a'),
    ],
  ],
  [
    'tried too early, while requests were not seen',
    'cut-short',
    [
      ...[...published('a'), disturbed(0, 2_000, { hides: 'requests' })],
      ...[...tried('a', { at: 100, status: 503 }), ...tried('a', { at: 900, attempt: 2 })],
    ],
  ],
  [
    'tried more often than is allowed',
    'too-many-attempts',
    [...retried('a'), ...tried('a', { at: 3_300, attempt: 3, status: 503 }), ...tried('a', { at: 7_000, attempt: 4 })],
  ],
  [
    'tried again before its time',
    'cut-short',
    [...published('a'), ...tried('a', { at: 100, status: 503 }), ...tried('a', { at: 900, attempt: 2 })],
  ],
  [
    'tried again before its time, the second time',
    'cut-short',
    [...retried('a'), ...tried('a', { at: 3_100, attempt: 3 })],
  ],
  [
    'under two ids',
    'misidentified',
    [
      ...published('a'),
      ...tried('a', { at: 100, status: 503 }),
      ...tried('a', { at: 1_200, attempt: 2, webhookId: 'x' }),
    ],
  ],
  ['under the id of another', 'misidentified', [...published('a'), ...tried('a', { at: 100, webhookId: 'good' })]],
  [
    'before one that was published earlier',
    'unordered',
    [...published('b', 20), ...tried('b', { at: 60 }), ...published('a', 10), ...tried('a', { at: 100 })],
    { isOrdered: true },
  ],
  ['still in its queue', 'unfinished', [...published('a'), found('a', 'source')]],
  ['still in a level', 'unfinished', [...published('a'), ...tried('a', { at: 100, status: 503 }), found('a', 'level')]],
])('a message %s is found, as %s, and nothing else', (_, fault, entries, more = {}) => {
  expect(check(historyOf([...good, ...entries], more)).map((one) => one.fault)).toEqual([fault])
})

test('more messages that come again than were in hand are found', () => {
  const ids = Array.from({ length: 9 }, (_, each) => `m${each}`)
  const entries = ids.flatMap((id) => [...published(id), ...tried(id, { at: 100 }), ...tried(id, { at: 900 })])
  const [only, ...more] = check(historyOf([...entries, disturbed(105)]))
  expect(only).toMatchObject({
    fault: 'doubled',
    text: 'shop/billing: 9 messages were delivered again, 4 at most by 1 disturbances',
  })
  expect(more).toEqual([])
})

/** Deliveries without any fault, as many messages as numbers, each of which says how often it fails. */
const perfect = (failures: readonly number[]): Entry[] =>
  failures.flatMap((fails, index) => {
    const id = `m${index}`
    const starts = [100, 1_200, 3_300].slice(0, Math.min(fails + 1, 3))
    return [
      ...published(id, index),
      ...starts.flatMap((at, attempt) => tried(id, { at, attempt: attempt + 1, status: attempt < fails ? 503 : 200 })),
      ...(fails >= 3 ? [found(id)] : []),
    ]
  })
const anyPerfect = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 20 }).map(perfect)

test('no perfect history has a fault, whatever the order in which it was recorded', () => {
  fc.assert(
    fc.property(
      anyPerfect.chain((entries) => fc.shuffledSubarray(entries, { minLength: entries.length })),
      (entries) => {
        expect(check(historyOf(entries))).toEqual([])
      },
    ),
  )
})

test('whatever is done to one entry of a perfect history is found', () => {
  const mutations: ((entry: Entry) => readonly Entry[] | undefined)[] = [
    (entry) => (entry.is === 'published' ? [] : undefined),
    (entry) => (entry.is === 'answered' && entry.status === 200 ? [{ ...entry, status: 503 }] : undefined),
    (entry) => (entry.is === 'requested' ? [{ ...entry, content: { body: 'other' } }] : undefined),
    (entry) => (entry.is === 'requested' ? [entry, { ...entry, request: -1, at: entry.at + 200 }] : undefined),
    (entry) => (entry.is === 'requested' && entry.attempt > 1 ? [{ ...entry, at: entry.at - 500 }] : undefined),
    (entry) => (entry.is === 'found' ? [] : undefined),
    (entry) => (entry.is === 'requested' ? [{ ...entry, attempt: 9 }] : undefined),
    (entry) => (entry.is === 'requested' ? [] : undefined),
    (entry) =>
      entry.is === 'answered' && entry.status === 503 && entry.at < 3_000
        ? [{ ...entry, retryAfterMs: 9_000 }]
        : undefined,
    (entry) => (entry.is === 'found' ? [entry, entry] : undefined),
    (entry) => (entry.is === 'found' ? [{ ...entry, letter: letter({ attempts: 2 }) }] : undefined),
    (entry) => (entry.is === 'found' ? [{ ...entry, letter: letter({ reason: 'Rejected' }) }] : undefined),
  ]
  fc.assert(
    fc.property(anyPerfect, fc.nat(), fc.nat(), (entries, which, how) => {
      const mutate = mutations[how % mutations.length] as (typeof mutations)[number]
      const candidates = entries.filter((entry) => mutate(entry) !== undefined)
      fc.pre(candidates.length > 0)
      const victim = candidates[which % candidates.length]
      const mutated = entries.flatMap((entry) => (entry === victim ? (mutate(entry) ?? []) : [entry]))
      expect(check(historyOf(mutated))).not.toEqual([])
    }),
  )
})

test('a long history is checked in a moment', () => {
  const entries = perfect(Array.from({ length: 30_000 }, (_, each) => each % 3))
  expect(check(historyOf(entries))).toEqual([])
})
