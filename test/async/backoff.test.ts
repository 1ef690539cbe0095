import fc from 'fast-check'
import { type Backoff, backoffMs } from '../../src/async/backoff.ts'

const backoff: Backoff = { first: 100, most: 10_000 }

describe('the backoff before the next try', () => {
  test.each([
    [1, 50, 100],
    [2, 100, 200],
    [3, 200, 400],
    [5, 800, 1_600],
    [7, 3_200, 6_400],
    [8, 5_000, 10_000],
    [9, 5_000, 10_000],
    [2_000, 5_000, 10_000],
  ])('the backoff after %i failures is from %i to %i ms', (failures, least, most) => {
    expect(backoffMs(failures, backoff, () => 0)).toBe(least)
    expect(backoffMs(failures, backoff, () => 1)).toBe(most)
  })

  test('a backoff is never longer than the longest, nor shorter than half of the first', () => {
    const limits = fc.record({
      first: fc.integer({ min: 1, max: 1_000 }),
      most: fc.integer({ min: 1_000, max: 60_000 }),
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), limits, fc.double({ min: 0, max: 1, noNaN: true }), (...all) => {
        const [failures, { first, most }, random] = all
        const ms = backoffMs(failures, { first, most }, () => random)
        expect(ms).toBeGreaterThanOrEqual(first / 2)
        expect(ms).toBeLessThanOrEqual(most)
      }),
    )
  })
})
