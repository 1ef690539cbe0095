import { HourRing } from '../../src/delivery/last-hour.ts'

const zero = { delivered: 0, failed: 0 }
const begun = 1_000
const hourOf = (ring: HourRing, minute: number) => ring.hour(minute, begun)

test('what was counted since the last look belongs to the minute of this one, and nothing is known of before the beginning', () => {
  const ring = new HourRing({ delivered: 500, failed: 7 })
  ring.see({ delivered: 510, failed: 7 }, 3, 1_000)
  ring.see({ delivered: 511, failed: 9 }, 0, 1_000)
  ring.see({ delivered: 531, failed: 9 }, 2, 1_002)
  const { delivered, failed, backlog } = hourOf(ring, 1_002) ?? {}
  expect(delivered).toEqual([...Array(57).fill(null), 11, 0, 20])
  expect(failed?.slice(-3)).toEqual([2, 0, 0])
  expect(backlog?.slice(-3)).toEqual([0, 0, 2])
})

test('an hour later it is forgotten, and a subscription at rest keeps nothing', () => {
  const ring = new HourRing(zero)
  ring.see({ delivered: 5, failed: 0 }, 0, 1_000)
  expect(hourOf(ring, 1_059)?.delivered).toEqual([5, ...Array(59).fill(0)])
  expect(hourOf(ring, 1_060)?.delivered).toEqual(Array(60).fill(0))
  ring.see({ delivered: 5, failed: 0 }, 0, 1_060)
  expect(hourOf(ring, 1_060)).toBeUndefined()
  ring.see({ delivered: 6, failed: 0 }, 0, 1_300)
  expect(hourOf(ring, 1_301)?.delivered.slice(-3)).toEqual([0, 1, 0])
})

test('a look that comes late, or counts that shrink with a forgotten replica, add nothing that was not', () => {
  const ring = new HourRing(zero)
  ring.see({ delivered: 5, failed: 1 }, 0, 1_001)
  ring.see({ delivered: 6, failed: 1 }, 0, 1_000)
  ring.see({ delivered: 2, failed: 0 }, 0, 1_001)
  ring.see({ delivered: 4, failed: 0 }, 0, 1_001)
  expect(hourOf(ring, 1_001)?.delivered.slice(-2)).toEqual([0, 8])
})
