import type { Job } from '../../../src/api/job.ts'
import type { Replay } from '../../../src/api/kinds/replay.ts'
import { letterOf } from '../../../src/delivery/letters/letter.ts'
import type { Source } from '../../../src/dispatcher/letters/places.ts'
import { sorting } from '../../../src/dispatcher/letters/sort.ts'
import { messageOf } from '../../delivery/samples.ts'

/** Which dispatcher gave a letter up, and with which clock, is not known. */

const cutoff = Date.parse('2026-01-31T12:00:00Z')
const before = '2026-01-31T11:59:00.000Z'
const source = { queue: 'dlq', kept: 'dead', route: {} } as Source
const jobTo = (to: Replay['spec']['to']): Job =>
  ({ kind: 'Replay', metadata: { uid: 'mine' }, spec: { to, selector: { all: true } } }) as Job
const sorted = (to: Replay['spec']['to'], headers: object) => {
  const message = messageOf({ headers: { 'waybill-dead-lettered': before, 'waybill-reason': 'Rejected', ...headers } })
  return sorting(jobTo(to), source, cutoff)(letterOf(message, 'shop/billing'), message)
}
const mine = { 'waybill-replays': 1, 'waybill-replay': 'mine' }

test('what a Replay put back into the queue and is a dead letter again is not taken by it again, and counts as done', () => {
  expect(sorted('Queue', {})).toBe('matching')
  expect(sorted('Queue', mine)).toBe('others')
  expect(sorted('Queue', { ...mine, 'waybill-replay': 'of another' })).toBe('matching')
})

test('what it tried and could not do is marked', () => {
  expect(sorted('Subscriber', mine)).toBe('marked')
  expect(sorted('Queue', { ...mine, 'waybill-broken-properties': 'x' })).toBe('marked')
})
