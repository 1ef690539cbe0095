import { causes, types } from '../../../src/cli/letters/causes.ts'
import { letterText } from '../../../src/cli/letters/letter-text.ts'
import { resultOf } from '../../../src/cli/letters/watching.ts'
import type { ShownLetter } from '../../../src/delivery/letters/shown.ts'

const letter: ShownLetter = {
  ...{ id: 'abcdefgh234567ab', group: 'abcdefgh23', reason: 'Exhausted', error: 'The subscriber answered 503' },
  ...{ statusCode: 503, eventType: 'order.placed', exchange: 'orders', routingKey: 'a', replays: 0, size: 2 },
  ...{ attempts: 7, firstAttempt: '2027-01-31T10:00:00.000Z', deadLettered: '2027-01-31T12:00:45.100Z' },
  lastAttempts: [
    { time: '2027-01-31T12:00:00.000Z', result: '503', tookMs: 120 },
    { time: '2027-01-31T12:00:05.120Z', result: 'Timeout', tookMs: 30_000 },
    { time: '2027-01-31T12:00:45.000Z', result: '503', tookMs: 90 },
  ],
  headers: [{ name: 'authorization', masked: true }],
}

test('attempts are a time line with what they took, what was waited, and what is not known', () => {
  const [, line = ''] = letterText({ letter, copies: 1 }).split('time line:\n')
  expect(line.split('headers:')[0]).toBe(
    [
      '   2027-01-31T10:00:00.000Z           first attempt',
      '   …                                  3 more attempts, of which no more is known',
      '   2027-01-31T12:00:00.000Z           answered 503                                 took 120ms',
      '   2027-01-31T12:00:05.120Z   +5.0s   Timeout                                      took 30s',
      '   2027-01-31T12:00:45.000Z   +9.9s   answered 503                                 took 90ms',
      '   2027-01-31T12:00:45.100Z   +10ms   dead-lettered',
      '',
    ].join('\n'),
  )
})

test('a letter of which all attempts are known has no gap, and one without any has no time line', () => {
  const whole = { ...letter, attempts: 3, firstAttempt: '2027-01-31T12:00:00.120Z' }
  expect(letterText({ letter: whole, copies: 1 })).not.toMatch(/first attempt|no more is known/)
  expect(letterText({ letter: { ...letter, lastAttempts: [] }, copies: 2 })).not.toContain('time line')
})

test('letters are counted by group and by type, the largest first, with those that have none', () => {
  const { eventType: _, ...typeless } = letter
  const other = { ...typeless, group: 'zzzzzzzz23', reason: 'Rejected', deadLettered: '2027-01-31T11:00:00.000Z' }
  const all = [other, letter, { ...letter, deadLettered: '2027-01-31T13:00:00.000Z' }]
  expect(causes(all).map(({ fields }) => fields)).toEqual([
    expect.objectContaining({
      ...{ group: 'abcdefgh23', count: 2, types: ['order.placed'], statusCode: 503 },
      ...{ first: '2027-01-31T12:00:45.100Z', last: '2027-01-31T13:00:00.000Z' },
    }),
    expect.objectContaining({ group: 'zzzzzzzz23', count: 1, types: [] }),
  ])
  const rows = types(all).map(({ row }) => row(Date.parse('2027-01-31T14:00:00Z')))
  expect(rows).toEqual([
    { COUNT: '2', TYPE: 'order.placed', FIRST: '119m', LAST: '60m', GROUPS: 'abcdefgh23' },
    { COUNT: '1', TYPE: '(none)', FIRST: '3h', LAST: '3h', GROUPS: 'zzzzzzzz23' },
  ])
})

test.each([
  ['Complete', 'Replayed', { delivered: 5, failed: 0, left: 0 }, true],
  ['Complete', 'Replayed', { delivered: 4, failed: 1, left: 0 }, false],
  ['Complete', 'MaxMessagesReached', { delivered: 5, failed: 0, left: 7 }, false],
  ['Complete', 'MaxMessagesReached', { delivered: 5, failed: 0, left: 0 }, true],
  ['Failed', 'CanaryFailed', { delivered: 0, failed: 0, left: 5 }, false],
])('a job that is %s by %s with %j did all it should: %s', (type, reason, counts, isDone) => {
  const conditions = [{ type, status: 'True', reason, message: 'Over' }]
  const job = { status: { ...counts, conditions } } as unknown as Parameters<typeof resultOf>[0]
  expect(resultOf(job)).toMatchObject({ isDone, message: 'Over' })
})
