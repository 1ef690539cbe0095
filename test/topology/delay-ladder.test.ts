import fc from 'fast-check'
import { ladder, levelFor } from '../../src/topology/delay-ladder.ts'
import { subscriptionOf } from './resources.ts'

const standard = [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 10_800_000]
const scheduled = (...schedule: string[]) => subscriptionOf('billing', { delivery: { retry: { schedule } } })

describe('the delay ladder', () => {
  test('the delay ladder always has its standard levels', () => {
    expect(ladder([])).toEqual(standard)
  })

  test('the delay ladder has one level for each delay, however the delay is written', () => {
    const levels = ladder([scheduled('60s', '1m', '90s'), scheduled('1m30s', '5s', '100ms')])
    expect(levels).toEqual([100, 5_000, 30_000, 60_000, 90_000, 120_000, 600_000, 1_800_000, 3_600_000, 10_800_000])
  })
})

describe('the level for a wait', () => {
  test.each([
    { wait: '5s', delayMs: 5_000, level: 5_000 },
    { wait: '4s, which 5s covers', delayMs: 4_000, level: 5_000 },
    { wait: '3.9s, for which 5s is too long', delayMs: 3_900, level: 5_000 },
    { wait: '10s: twice 5s, for 30s is too long', delayMs: 10_000, level: 5_000 },
    { wait: '25s', delayMs: 25_000, level: 30_000 },
    { wait: 'a day, in hops of three hours', delayMs: 86_400_000, level: 10_800_000 },
    { wait: '1ms', delayMs: 1, level: 5_000 },
  ])('a wait of $wait gets the longest delay level that is not too long', ({ delayMs, level }) => {
    expect(levelFor(standard, delayMs)).toBe(level)
  })

  const delays = fc.integer({ min: 1, max: 7 * 86_400_000 })
  const levels = fc.uniqueArray(fc.integer({ min: 100, max: 86_400_000 }), { minLength: 1, maxLength: 20 })

  test('the level for a wait is always one of the levels of the ladder', () => {
    fc.assert(
      fc.property(levels, delays, (any, delayMs) => {
        const sorted = any.toSorted((a, b) => a - b)
        expect(sorted).toContain(levelFor(sorted, delayMs))
      }),
    )
  })

  test('the hops of a wait add up to at most a quarter too long, unless the shortest level is longer', () => {
    fc.assert(
      fc.property(levels, delays, (any, delayMs) => {
        const sorted = any.toSorted((a, b) => a - b)
        let waited = 0
        for (let hops = 0; waited < delayMs && hops < 10_000; hops += 1) waited += levelFor(sorted, delayMs - waited)
        const shortest = sorted[0] ?? 0
        // With a shortest level of 100 ms a week takes more hops than are tried here.
        fc.pre(waited >= delayMs)
        expect(waited).toBeLessThanOrEqual(Math.max(delayMs * 1.25, delayMs + shortest))
      }),
    )
  })

  test('the level for a wait in a ladder without levels throws a RangeError', () => {
    expect(() => levelFor([], 1)).toThrow(RangeError)
  })
})
