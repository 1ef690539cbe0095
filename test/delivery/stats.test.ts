import fc from 'fast-check'
import type { Decision } from '../../src/delivery/decide.ts'
import type { Outcome } from '../../src/delivery/attempt/outcome.ts'
import {
  count,
  deliveringVerdict,
  deliveryStatus,
  mergeTallies,
  newTally,
  type Tally,
} from '../../src/delivery/stats.ts'
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

describe('the tallies of several dispatchers', () => {
  /** One message settled on one of three replicas: when, when it was first tried, and how it went. */
  type Event = { replica: number; seconds: number; waited: number; how: [Outcome, Decision] }
  const event: fc.Arbitrary<Event> = fc.record({
    replica: fc.integer({ min: 0, max: 2 }),
    seconds: fc.integer({ min: 1, max: 60 }),
    waited: fc.integer({ min: 0, max: 30 }),
    how: fc.constantFrom<[Outcome, Decision][]>(
      [delivered, acknowledge],
      [failed, retryIn(30_000)],
      [refused, retryIn(30_000)],
      [failed, exhausted],
      [failed, rejected],
    ),
  })
  const history = fc.array(event, { maxLength: 20 }).map((list) => list.toSorted((a, b) => a.seconds - b.seconds))

  const spread = (events: Event[], over: number): Tally[] => {
    const tallies = Array.from({ length: over }, newTally)
    for (const { replica, seconds, waited, how } of events) {
      const tally = tallies[replica % over] as Tally
      count(tally, ...how, now + Math.max(0, seconds - waited) * 1000, now + seconds * 1000)
    }
    return tallies
  }

  test('say of a subscription what one would have said that had all the messages', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 120 }), (events, after) => {
        const at = now + (60 + after) * 1000
        const [one] = spread(events, 1) as [Tally]
        const merged = mergeTallies(spread(events, 3))
        const { failing: _, failingUntil: until, ...counts } = merged
        expect(counts).toEqual({
          ...counts,
          delivered: one.delivered,
          retried: one.retried,
          lastSuccess: one.lastSuccess,
        })
        expect(counts.deadLettered).toBe(one.deadLettered)
        expect(counts.lastFailure?.time).toBe(one.lastFailure?.time)
        // A replica that knew of fewer successes may have counted an attempt that the one would not have; never the reverse.
        expect(merged.failing).toBeGreaterThanOrEqual(one.failing)
        expect(merged.failing > 0).toBe(one.failing > 0)
        expect(until).toBeGreaterThanOrEqual(one.failingUntil)
        expect(deliveringVerdict(merged, at).reason).toBe(deliveringVerdict({ ...one, failingUntil: until }, at).reason)
      }),
    )
  })

  test('add up in any order, and one alone is itself', () => {
    fc.assert(
      fc.property(history, (events) => {
        const [a, b, c] = spread(events, 3) as [Tally, Tally, Tally]
        expect(mergeTallies([c, a, b])).toEqual(mergeTallies([a, b, c]))
        expect(mergeTallies([a])).toEqual(a)
        expect(mergeTallies([a, newTally()])).toEqual(a)
      }),
    )
  })

  test.each<[string, Tally[], number, string]>([
    ['all fail everywhere', [tallyOf([1, failed, retryIn(30_000)]), tallyOf([2, failed, retryIn(30_000)])], 3, 'False'],
    [
      'a success at another comes later',
      [tallyOf([1, failed, retryIn(30_000)]), tallyOf([2, delivered, acknowledge])],
      20,
      'True',
    ],
    [
      'and all fail again',
      [tallyOf([1, delivered, acknowledge], [3, failed, retryIn(30_000)]), tallyOf([2, delivered, acknowledge])],
      20,
      'False',
    ],
    [
      'one bad message, tried again at another replica than the one that others succeed at',
      [tallyOf([1, failed, retryIn(30_000)], [5, delivered, acknowledge]), tallyOf([31, failed, retryIn(30_000), 1])],
      32,
      'True',
    ],
  ])('%s', (_, tallies, at, status) => {
    expect(deliveringVerdict(mergeTallies(tallies), now + at * 1000).status).toBe(status)
  })
})
