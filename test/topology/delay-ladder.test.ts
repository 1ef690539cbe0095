import fc from 'fast-check'
import { milliseconds } from '../../src/api/duration.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { rungFor, rungs } from '../../src/topology/delay-ladder.ts'

const day = 86_400_000
const { schedule } = subscription.spec.properties.delivery.properties.retry.properties

/** The rungs on which a message waits one after another, each left `lateMs` late. */
const hopsOf = (waitMs: number, lateMs = 0): { readonly hops: number[]; readonly waited: number } => {
  const hops: number[] = []
  let waited = 0
  while (waited < waitMs && hops.length < 100) {
    const rung = rungFor(waitMs - waited, waitMs)
    hops.push(rung)
    waited += rung + lateMs
  }
  return { hops, waited }
}

describe('the delay ladder', () => {
  test('the delay ladder goes from 100ms to 24h, and has every delay of the default schedule', () => {
    expect(rungs).toEqual([...new Set(rungs)].toSorted((a, b) => a - b))
    expect([rungs[0], rungs.at(-1)]).toEqual([100, day])
    expect(rungs).toEqual(expect.arrayContaining(schedule.default.map(milliseconds)))
  })

  test.each([
    { wait: '5s', ms: 5_000, hops: [5_000] },
    { wait: '3s, of a Retry-After', ms: 3_000, hops: [2_000, 1_000] },
    { wait: '4.6s, which 5s covers', ms: 4_600, hops: [5_000] },
    { wait: '6s', ms: 6_000, hops: [5_000, 1_000] },
    { wait: '1ms', ms: 1, hops: [100] },
    { wait: '90s', ms: 90_000, hops: [60_000, 30_000] },
    { wait: 'a week', ms: 7 * day, hops: Array.from({ length: 7 }, () => day) },
  ])('a wait of $wait takes the fewest rungs that the ladder has for it', ({ ms, hops }) => {
    expect(hopsOf(ms).hops).toEqual(hops)
  })

  const waits = fc.oneof(
    fc.integer({ min: 1, max: day + 3_600_000 }),
    fc.double({ min: 0, max: Math.log10(day + 3_600_000), noNaN: true }).map((exponent) => Math.ceil(10 ** exponent)),
  )

  test('every wait ends within five hops, never early, and at most a tenth or 100 ms late', () => {
    fc.assert(
      fc.property(waits, (ms) => {
        const { hops, waited } = hopsOf(ms)
        expect(hops.length).toBeLessThanOrEqual(5)
        expect(waited).toBeGreaterThanOrEqual(ms)
        expect(waited - ms).toBeLessThanOrEqual(Math.max(ms / 10, 100))
      }),
      { numRuns: 20_000 },
    )
  })

  test('hops that each end a little late make a wait no longer than their sum', () => {
    fc.assert(
      fc.property(waits, fc.integer({ min: 0, max: 50 }), (ms, lateMs) => {
        const { hops, waited } = hopsOf(ms, lateMs)
        expect(waited).toBeGreaterThanOrEqual(ms)
        expect(waited - ms).toBeLessThanOrEqual(Math.max(ms / 10, 100) + hops.length * lateMs)
      }),
    )
  })
})
