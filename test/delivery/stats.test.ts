import fc from 'fast-check'
import type { Outcome } from '../../src/delivery/attempt/outcome.ts'
import type { Decision } from '../../src/delivery/decide.ts'
import {
  count,
  type DeliveryStats,
  deliveringVerdict,
  deliveryStatus,
  mergeStats,
  newStats,
} from '../../src/delivery/stats.ts'
import { now } from './samples.ts'

const delivered: Outcome = { kind: 'delivered', status: 200 }
const failed: Outcome = { kind: 'answered', status: 503 }
const refused: Outcome = { kind: 'failed', failure: 'refused', message: 'm' }
const acknowledge: Decision = { do: 'acknowledge' }
const retryIn = (delayMs: number): Decision => ({ do: 'retry', delayMs })
const exhausted: Decision = { do: 'dead-letter', reason: 'Exhausted', message: 'm' }
const rejected: Decision = { do: 'dead-letter', reason: 'Rejected', message: 'm' }

/** The stats after these events, each so many seconds after `now`. */
const statsOf = (...events: [seconds: number, Outcome | undefined, Decision, first?: number][]): DeliveryStats => {
  const stats = newStats()
  for (const [seconds, outcome, decision, first = seconds] of events) {
    count(stats, outcome, decision, now + first * 1000, now + seconds * 1000)
  }
  return stats
}

const cases: { name: string; stats: DeliveryStats; at: number; expected: string }[] = [
  { name: 'no attempt yet', stats: statsOf(), at: 0, expected: 'Delivering' },
  {
    name: 'one attempt that failed',
    stats: statsOf([0, failed, retryIn(5000)]),
    at: 1,
    expected: 'AllAttemptsFailing',
  },
  {
    name: 'a failure among successes',
    stats: statsOf([0, delivered, acknowledge], [1, failed, retryIn(5000)]),
    at: 5,
    expected: 'Delivering',
  },
  {
    name: 'failures since the last success 6 s ago',
    stats: statsOf([0, delivered, acknowledge], [1, failed, retryIn(5000)]),
    at: 6,
    expected: 'AllAttemptsFailing',
  },
  {
    name: 'a message that keeps failing while others succeeded',
    stats: statsOf([0, failed, retryIn(1000)], [0.5, delivered, acknowledge], [8, failed, retryIn(1000), 0]),
    at: 8,
    expected: 'Delivering',
  },
  {
    name: 'a connection that fails for any message',
    stats: statsOf([0, refused, retryIn(1000)], [0.5, delivered, acknowledge], [8, refused, retryIn(1000), 0]),
    at: 8,
    expected: 'AllAttemptsFailing',
  },
  {
    name: 'a wait between two distant retries',
    stats: statsOf([0, failed, retryIn(3_600_000)]),
    at: 3_600,
    expected: 'AllAttemptsFailing',
  },
  {
    name: 'a last retry that was due long ago',
    stats: statsOf([0, failed, retryIn(5000)]),
    at: 16,
    expected: 'AllAttemptsFailing',
  },
  {
    name: 'a last message that was given up long ago',
    stats: statsOf([0, failed, retryIn(5000)], [5, failed, exhausted]),
    at: 16,
    expected: 'AllAttemptsFailing',
  },
  {
    name: 'a success after failures',
    stats: statsOf([0, failed, retryIn(3_600_000)], [1, delivered, acknowledge]),
    at: 60,
    expected: 'Delivering',
  },
  { name: 'a rejected message', stats: statsOf([0, failed, rejected]), at: 1, expected: 'Delivering' },
  {
    name: 'an abandoned attempt',
    stats: statsOf([0, { kind: 'abandoned' }, { do: 'requeue' }]),
    at: 1,
    expected: 'Delivering',
  },
]

test.each(cases)('the verdict on delivery, with $name: $expected', ({ stats, at, expected }) => {
  expect(deliveringVerdict(stats, now + at * 1000).reason).toBe(expected)
})

test('a verdict of failing delivery has the time since when and the reason', () => {
  const stats = statsOf([0, delivered, acknowledge], [1, failed, retryIn(5000)], [6, failed, retryIn(5000)])
  expect(deliveringVerdict(stats, now + 12_000)).toEqual({
    type: 'Delivering',
    status: 'False',
    reason: 'AllAttemptsFailing',
    message: 'All 2 attempts since the last success at 2025-03-01T12:00:00.000Z failed: The subscriber answered 503',
  })
})

test('the delivery status rounds counts that change often and keeps the latest failure', () => {
  const stats = statsOf([0, failed, retryIn(1)], [1, failed, exhausted], [2, failed, rejected])
  stats.delivered = 12_345
  expect(deliveryStatus(stats)).toEqual({
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

test('a message given up without an attempt is the latest failure and no evidence against its subscriber', () => {
  const stats = statsOf([0, undefined, { do: 'dead-letter', reason: 'DeliveryLimit', message: 'why' }])
  expect(deliveringVerdict(stats, now + 1000).reason).toBe('Delivering')
  expect(deliveryStatus(stats)).toEqual({
    delivered: 0,
    retried: 0,
    deadLettered: 1,
    lastFailure: { time: '2025-03-01T12:00:00.000Z', reason: 'DeliveryLimit', message: 'why' },
  })
})

test('the delivery status before any attempt is all zeros', () => {
  expect(deliveryStatus(newStats())).toEqual({ delivered: 0, retried: 0, deadLettered: 0 })
})

describe('the merged stats of several dispatchers', () => {
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

  const spread = (events: Event[], over: number): DeliveryStats[] => {
    const all = Array.from({ length: over }, newStats)
    for (const { replica, seconds, waited, how } of events) {
      const stats = all[replica % over] as DeliveryStats
      count(stats, ...how, now + Math.max(0, seconds - waited) * 1000, now + seconds * 1000)
    }
    return all
  }

  test('merged stats give the verdict that one dispatcher would have given with all the messages', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 120 }), (events, after) => {
        const at = now + (60 + after) * 1000
        const [one] = spread(events, 1) as [DeliveryStats]
        const merged = mergeStats(spread(events, 3))
        const { failing: _, ...counts } = merged
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
        expect(deliveringVerdict(merged, at).reason).toBe(deliveringVerdict(one, at).reason)
      }),
    )
  })

  test('stats merge in any order, and those of one dispatcher stay the same', () => {
    fc.assert(
      fc.property(history, (events) => {
        const [a, b, c] = spread(events, 3) as [DeliveryStats, DeliveryStats, DeliveryStats]
        expect(mergeStats([c, a, b])).toEqual(mergeStats([a, b, c]))
        expect(mergeStats([a])).toEqual(a)
        expect(mergeStats([a, newStats()])).toEqual(a)
      }),
    )
  })

  test.each<[string, DeliveryStats[], number, string]>([
    ['all fail everywhere', [statsOf([1, failed, retryIn(30_000)]), statsOf([2, failed, retryIn(30_000)])], 3, 'False'],
    [
      'a success at another comes later',
      [statsOf([1, failed, retryIn(30_000)]), statsOf([2, delivered, acknowledge])],
      20,
      'True',
    ],
    [
      'and all fail again',
      [statsOf([1, delivered, acknowledge], [3, failed, retryIn(30_000)]), statsOf([2, delivered, acknowledge])],
      20,
      'False',
    ],
    [
      'one bad message, tried again at another replica than the one that others succeed at',
      [statsOf([1, failed, retryIn(30_000)], [5, delivered, acknowledge]), statsOf([31, failed, retryIn(30_000), 1])],
      32,
      'True',
    ],
  ])('merged stats give the verdict of all dispatchers together: %s', (_, all, at, status) => {
    expect(deliveringVerdict(mergeStats(all), now + at * 1000).status).toBe(status)
  })
})
