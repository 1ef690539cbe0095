import type { Decision } from '../../src/delivery/decide.ts'
import type { Outcome } from '../../src/delivery/outcome.ts'
import { count, deliveringVerdict, deliveryStatus, newTally, type Tally } from '../../src/delivery/tally.ts'
import { now } from './samples.ts'

const delivered: Outcome = { kind: 'delivered', status: 200 }
const failed: Outcome = { kind: 'answered', status: 503 }
const refused: Outcome = { kind: 'failed', failure: 'refused', message: 'm' }
const acknowledge: Decision = { do: 'acknowledge' }
const retryIn = (delayMs: number): Decision => ({ do: 'retry', delayMs })
const exhausted: Decision = { do: 'dead-letter', reason: 'Exhausted', message: 'm' }
const rejected: Decision = { do: 'dead-letter', reason: 'Rejected', message: 'm' }

/** A tally of what happened at these seconds after `now`. */
const tallyOf = (...events: [seconds: number, Outcome, Decision, first?: number][]): Tally => {
  const tally = newTally()
  for (const [seconds, outcome, decision, first = seconds] of events) {
    count(tally, outcome, decision, now + first * 1000, now + seconds * 1000)
  }
  return tally
}

const cases: { name: string; tally: Tally; at: number; expected: string }[] = [
  { name: 'nothing yet', tally: tallyOf(), at: 0, expected: 'Delivering' },
  {
    name: 'the only attempt failed',
    tally: tallyOf([0, failed, retryIn(5000)]),
    at: 1,
    expected: 'AllAttemptsFailing',
  },
  {
    name: 'a failure among successes',
    tally: tallyOf([0, delivered, acknowledge], [1, failed, retryIn(5000)]),
    at: 5,
    expected: 'Delivering',
  },
  {
    name: 'failures since the last success 6 s ago',
    tally: tallyOf([0, delivered, acknowledge], [1, failed, retryIn(5000)]),
    at: 6,
    expected: 'AllAttemptsFailing',
  },
  {
    name: 'a message that goes on failing while others succeeded',
    tally: tallyOf([0, failed, retryIn(1000)], [0.5, delivered, acknowledge], [8, failed, retryIn(1000), 0]),
    at: 8,
    expected: 'Delivering',
  },
  {
    name: 'a connection that fails, whichever the message',
    tally: tallyOf([0, refused, retryIn(1000)], [0.5, delivered, acknowledge], [8, refused, retryIn(1000), 0]),
    at: 8,
    expected: 'AllAttemptsFailing',
  },
  {
    name: 'between two far retries',
    tally: tallyOf([0, failed, retryIn(3_600_000)]),
    at: 3_600,
    expected: 'AllAttemptsFailing',
  },
  {
    name: 'long after the last retry was due',
    tally: tallyOf([0, failed, retryIn(5000)]),
    at: 16,
    expected: 'Delivering',
  },
  {
    name: 'long after the last message was given up',
    tally: tallyOf([0, failed, retryIn(5000)], [5, failed, exhausted]),
    at: 16,
    expected: 'Delivering',
  },
  {
    name: 'a success after failures',
    tally: tallyOf([0, failed, retryIn(3_600_000)], [1, delivered, acknowledge]),
    at: 60,
    expected: 'Delivering',
  },
  { name: 'a message turned down', tally: tallyOf([0, failed, rejected]), at: 1, expected: 'Delivering' },
  {
    name: 'an attempt cut short',
    tally: tallyOf([0, { kind: 'abandoned' }, { do: 'give-back', reason: 'Abandoned' }]),
    at: 1,
    expected: 'Delivering',
  },
]

test.each(cases)('$name: $expected', ({ tally, at, expected }) => {
  expect(deliveringVerdict(tally, now + at * 1000).reason).toBe(expected)
})

test('a failing verdict tells since when and why', () => {
  const tally = tallyOf([0, delivered, acknowledge], [1, failed, retryIn(5000)], [6, failed, retryIn(5000)])
  expect(deliveringVerdict(tally, now + 12_000)).toEqual({
    type: 'Delivering',
    status: 'False',
    reason: 'AllAttemptsFailing',
    message: 'All 2 attempts since the last success at 2025-03-01T12:00:00.000Z failed: The subscriber answered 503',
  })
})

test('the status rounds what moves and keeps the latest failure', () => {
  const tally = tallyOf([0, failed, retryIn(1)], [1, failed, exhausted], [2, failed, rejected])
  tally.delivered = 12_345
  expect(deliveryStatus(tally)).toEqual({
    delivered: 12_000,
    retried: 1,
    deadLettered: 2,
    lastFailure: {
      time: '2025-03-01T12:00:02.000Z',
      statusCode: 503,
      reason: 'StatusCode',
      message: 'The subscriber answered 503',
    },
  })
})

test('the status before anything happened', () => {
  expect(deliveryStatus(newTally())).toEqual({ delivered: 0, retried: 0, deadLettered: 0 })
})
