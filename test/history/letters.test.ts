import { check, type Fault } from './check.ts'
import { content, disturbed, exhausted, found, historyOf, letter, published, retried, tried } from './entries.ts'
import type { Entry, Terms } from './history.ts'

const rejected = { letter: letter({ reason: 'Rejected', attempts: 1, status: 422 }) }
const unparsable = { letter: letter({ reason: 'Unparsable', attempts: 0 }) }
const sendable = (id: string, isSendable: boolean): Entry[] =>
  published(id).map((entry) => (entry.is === 'published' ? { ...entry, isSendable } : entry))
const hidden = (at: number, until: number) => disturbed(at, until, { hides: 'requests', isGentle: true })

test.each<[string, readonly Entry[]]>([
  ['after all its attempts', [...exhausted('a'), found('a')]],
  ['as rejected', [...published('a'), ...tried('a', { at: 100, status: 422 }), found('a', 'dead-letters', rejected)]],
  ['unsent, and nobody knows whether it can be sent', [...published('a'), found('a', 'dead-letters', unparsable)]],
  ['because no request can be made of it', [...sendable('a', false), found('a', 'dead-letters', unparsable)]],
  ['after attempts that were not seen', [...published('a'), hidden(50, 9_000), found('a')]],
  [
    'twice after attempts that were not seen',
    [...published('a'), disturbed(10), hidden(50, 9_000), found('a'), found('a')],
  ],
  ['after one attempt that a fault hid', [...retried('a'), disturbed(1_205), found('a')]],
  [
    'twice, because of a fault',
    [
      ...exhausted('a'),
      disturbed(3_305),
      ...tried('a', { at: 3_900, attempt: 3, status: 503 }),
      found('a'),
      found('a'),
    ],
  ],
  [
    'after a last answer that came too late for a slow machine',
    [
      ...retried('a'),
      disturbed(3_290, 3_400, { hides: 'times' }),
      ...tried('a', { at: 3_300, attempt: 3, status: 200 }),
      found('a', 'dead-letters', { letter: letter({ status: undefined }) }),
    ],
  ],
  [
    'because it came back too often',
    [
      ...published('a'),
      ...Array.from({ length: 12 }, (_, each) => disturbed(100 * each)),
      found('a', 'dead-letters', { letter: letter({ reason: 'DeliveryLimit', attempts: 0 }) }),
    ],
  ],
])('a message given up %s is as it should be', (_, entries) => {
  expect(check(historyOf(entries))).toEqual([])
})

test.each<[string, Fault, readonly Entry[], Partial<Terms>?]>([
  [
    'without an attempt, although it can be sent',
    'given-up',
    [...sendable('a', true), found('a', 'dead-letters', unparsable)],
  ],
  [
    'after its first attempt',
    'given-up',
    [
      ...published('a'),
      ...tried('a', { at: 100, status: 503 }),
      found('a', 'dead-letters', { letter: letter({ attempts: 1 }) }),
    ],
  ],
  [
    'after its first attempt, as if there had been all',
    'skipped',
    [...published('a'), ...tried('a', { at: 100, status: 503 }), found('a')],
  ],
  ['never tried, as if it had been', 'skipped', [...published('a'), found('a')]],
  [
    'as rejected by an answer that is to be retried',
    'given-up',
    [
      ...published('a'),
      ...tried('a', { at: 100, status: 503 }),
      found('a', 'dead-letters', { letter: letter({ reason: 'Rejected', attempts: 1 }) }),
    ],
  ],
  [
    'as rejected by an answer that was another one',
    'given-up',
    [...published('a'), ...tried('a', { at: 100, status: 503 }), found('a', 'dead-letters', rejected)],
  ],
  [
    'as expired',
    'given-up',
    [...exhausted('a'), found('a', 'dead-letters', { letter: letter({ reason: 'Expired' }) })],
  ],
  [
    'as one that came back too often, although nothing disturbed it',
    'given-up',
    [...published('a'), found('a', 'dead-letters', { letter: letter({ reason: 'DeliveryLimit', attempts: 0 }) })],
  ],
  ['by the broker', 'given-up', [...exhausted('a'), found('a', 'dead-letters', { letter: undefined })]],
  [
    'in the name of another subscription',
    'mislabelled',
    [...exhausted('a'), found('a', 'dead-letters', { letter: letter({ subscription: 'shop/mail' }) })],
  ],
  [
    'as if it came from another exchange',
    'mislabelled',
    [...exhausted('a'), found('a', 'dead-letters', { letter: letter({ exchange: 'waybill.return' }) })],
  ],
  [
    'with another routing key',
    'mislabelled',
    [...exhausted('a'), found('a', 'dead-letters', { letter: letter({ routingKey: 'order.paid' }) })],
  ],
  [
    'with a status that nobody answered',
    'mislabelled',
    [...exhausted('a'), found('a', 'dead-letters', { letter: letter({ status: 400 }) })],
  ],
  ['twice for no reason', 'doubled', [...exhausted('a'), found('a'), found('a')]],
  [
    'without one of its properties',
    'changed',
    [
      ...exhausted('a').map((entry) =>
        entry.is === 'published' ? { ...entry, content: { ...content, properties: { type: 't' } } } : entry,
      ),
      found('a', 'dead-letters', { content: { ...content, properties: {} } }),
    ],
  ],
  [
    'after a 2xx of its second attempt, which a fault did not have delivered again',
    'dead-lettered',
    [
      ...published('a'),
      disturbed(50),
      ...tried('a', { at: 100, status: 503 }),
      ...tried('a', { at: 1_200, attempt: 2 }),
      found('a', 'dead-letters', { letter: letter({ attempts: 2, status: undefined }) }),
    ],
    { leastAttempts: 2 },
  ],
])('a message given up %s is found, as %s, and nothing else', (_, fault, entries, more = {}) => {
  expect(check(historyOf(entries, more)).map((one) => one.fault)).toEqual([fault])
})
