import { check, type Fault } from './check.ts'
import { disturbed, found, historyOf, parked, published, retried, tried } from './entries.ts'
import type { Entry, Terms } from './history.ts'

const edited = (at: number, until: number) => disturbed(at, until, { what: 'schedule billing', isGentle: true })
const unconfirmed = (id: string): Entry[] => published(id).slice(0, 1)

test.each<[string, readonly Entry[], Partial<Terms>?]>([
  [
    'tried once the wait that was asked for is over',
    [
      ...published('a'),
      ...tried('a', { at: 100, status: 503, retryAfterMs: 2_000 }),
      ...tried('a', { at: 2_150, attempt: 2 }),
    ],
  ],
  [
    'that a fault kept from its first attempt',
    [...published('a'), disturbed(50), ...tried('a', { at: 1_100, attempt: 2 })],
  ],
  [
    'of which two copies go all their way because of one fault',
    [
      ...[...published('a'), ...tried('a', { at: 100, status: 503 }), disturbed(105)],
      ...[...tried('a', { at: 900, status: 503 }), ...tried('a', { at: 60_000, attempt: 2 })],
      ...[...tried('a', { at: 61_000, attempt: 2, status: 503 }), ...tried('a', { at: 90_000, attempt: 3 })],
    ],
  ],
  [
    'of which two copies were stored before an attempt was seen',
    [
      ...[...published('a'), disturbed(50), ...tried('a', { at: 60_000, attempt: 2 })],
      ...tried('a', { at: 60_100, attempt: 2 }),
    ],
  ],
  [
    'delivered before its subscription is suspended',
    [...published('a'), ...tried('a', { at: 2_000 })],
    { isSuspended: (at) => at > 3_000 },
  ],
  ['of unknown fate, and not stored', [...unconfirmed('a'), { is: 'unknown', at: 5, id: 'a' }]],
  ['that may come, and did not', published('a'), { matches: () => 'may' }],
  [
    'whose schedule was shortened before its attempt ended',
    [...published('a'), ...tried('a', { at: 100, status: 503 }), ...tried('a', { at: 300, attempt: 2 })],
    { delayMs: (_, endedAt) => (endedAt > 50 ? 100 : 1_000) },
  ],
])('a message %s is as it should be', (_, entries, more = {}) => {
  expect(check(historyOf(entries, more))).toEqual([])
})

test.each<[string, Fault, readonly Entry[], Partial<Terms>?]>([
  [
    'tried although it was not confirmed, and gone',
    'lost',
    [...unconfirmed('a'), ...tried('a', { at: 100, status: 503 })],
  ],
  [
    'tried although it did not have to come, and gone',
    'lost',
    [...published('a'), ...tried('a', { at: 100, status: 503 })],
    { matches: () => 'may' },
  ],
  ['wanted by nobody, and gone', 'lost', published('a', 0, 'shop.mail')],
  [
    'wanted by nobody, in the queue of another topic',
    'invented',
    [...published('a', 0, 'shop.mail'), parked('a', { exchange: 'shop.news' })],
  ],
  [
    'wanted, and parked nevertheless',
    'invented',
    [...published('a'), ...tried('a', { at: 100 }), parked('a', { exchange: 'shop.orders' })],
  ],
  ['parked twice', 'doubled', [...published('a', 0, 'shop.mail'), parked('a'), parked('a')]],
  [
    'still an orphan',
    'unfinished',
    [...published('a'), ...tried('a', { at: 100, status: 503 }), found('a', 'orphans')],
  ],
  [
    'tried again before the wait that was asked for is over',
    'cut-short',
    [
      ...published('a'),
      ...tried('a', { at: 100, status: 503, retryAfterMs: 2_000 }),
      ...tried('a', { at: 1_200, attempt: 2 }),
    ],
  ],
  [
    'tried again before its time, long after times were not written down as they were',
    'cut-short',
    [...retried('a'), disturbed(90, 150, { hides: 'times' }), ...tried('a', { at: 3_100, attempt: 3 })],
  ],
  ['whose first attempt was left out', 'skipped', [...published('a'), ...tried('a', { at: 100, attempt: 2 })]],
  [
    'whose second attempt was left out',
    'skipped',
    [...[...published('a'), ...tried('a', { at: 100, status: 503 })], ...[...tried('a', { at: 3_300, attempt: 3 })]],
  ],
  [
    'delivered twice around an edit',
    'doubled',
    [...published('a'), ...tried('a', { at: 100 }), edited(105, 900), ...tried('a', { at: 900 })],
  ],
  [
    'delivered twice long after a fault that was over',
    'doubled',
    [
      ...[...published('a'), ...tried('a', { at: 100, status: 503 }), disturbed(105)],
      ...[...tried('a', { at: 60_000, attempt: 2, status: 503 }), ...tried('a', { at: 65_000, attempt: 3 })],
      ...tried('a', { at: 66_000, attempt: 3 }),
    ],
  ],
  [
    'tried again after a 2xx, long after a fault that was over',
    'doubled',
    [
      ...[...published('a'), ...tried('a', { at: 100, status: 503 }), disturbed(105)],
      ...[...tried('a', { at: 60_000, attempt: 2 }), ...tried('a', { at: 63_000, attempt: 3 })],
    ],
  ],
  [
    'delivered while its subscription is suspended',
    'suspended',
    [...published('a'), ...tried('a', { at: 5_000 })],
    { isSuspended: (at) => at > 3_000 },
  ],
  [
    'with another attribute',
    'changed',
    [
      ...published('a').map((entry) =>
        entry.is === 'published' ? { ...entry, content: { attributes: { type: 'order.placed' } } } : entry,
      ),
      ...tried('a', { at: 100, content: { attributes: { type: 'order.paid' } } }),
    ],
  ],
  ['without an id', 'misidentified', [...published('a'), ...tried('a', { at: 100, webhookId: '' })]],
  [
    'sent otherwise the second time',
    'changed',
    [
      ...published('a'),
      ...tried('a', { at: 100, status: 503, sent: 'one' }),
      ...tried('a', { at: 1_200, attempt: 2, sent: 'other' }),
    ],
  ],
])('a message %s is found, as %s, and nothing else', (_, fault, entries, more = {}) => {
  expect(check(historyOf(entries, more)).map((one) => one.fault)).toEqual([fault])
})
