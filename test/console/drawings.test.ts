import { sparkline } from '../../src/console/drawings/sparkline.ts'
import { timeline } from '../../src/console/drawings/timeline.ts'
import type { LastHour } from '../../src/delivery/last-hour.ts'

const unknown = (count: number) => Array<null>(count).fill(null)
const hour = (delivered: number[], failed: number[], backlog: number[]): LastHour => ({
  delivered: [...unknown(60 - delivered.length), ...delivered],
  failed: [...unknown(60 - failed.length), ...failed],
  backlog: [...unknown(60 - backlog.length), ...backlog],
})

test('an hour is drawn as bars, failures on them, and a line for the backlog, and says the same in words', () => {
  const drawn = String(sparkline(hour([1200, 600], [0, 600], [0, 40]), { size: 'large' }))
  expect(drawn).toContain(
    '<title>Last 2 min: 1,800 delivered, 600 failed attempts, 40 waiting now and 40 at most</title>',
  )
  expect(drawn).toContain('<path class="delivered" d="M580 90V0h10V90zM590 90V45h10V90z"/>')
  expect(drawn).toContain('<path class="failed" d="M590 45V0h10V45z"/>')
  expect(drawn).toContain('<path class="backlog" d="M585 89.5L595 0.5"/>')
})

test('an hour without anything is a line on the ground', () => {
  expect(String(sparkline(undefined))).toMatch(/<title>Last hour: no deliveries<\/title><path class="ground"/)
})

test('the picture of a row is small, however restless the hour was', () => {
  const restless = Array.from({ length: 60 }, (_, at) => (at * 7919) % 997)
  expect(String(sparkline(hour(restless, restless.toReversed(), restless))).length).toBeLessThan(1_800)
})

test('a time line has each attempt with its wait, and says the same in words', () => {
  const drawn = String(
    timeline({
      attempts: 9,
      firstAttempt: '2026-01-01T10:00:00.000Z',
      lastAttempts: [
        { time: '2026-01-01T11:00:00.000Z', result: '503', tookMs: 120 },
        { time: '2026-01-01T11:00:30.120Z', result: 'Timeout', tookMs: 10_000 },
      ],
      deadLettered: '2026-01-01T11:00:40.125Z',
    }),
  )
  const words = /<title>(.*?)<\/title>/.exec(drawn)?.[1]
  expect(words).toBe(
    '10:00:00: 7 attempts more since then; 1 h later, 11:00:00: 503 after 120 ms; ' +
      '30 s later, 11:00:30: Timeout after 10 s; 11:00:40: Dead-lettered',
  )
  expect(drawn.match(/<circle class="failed"/g)).toHaveLength(2)
})

test('nothing of a letter becomes markup', () => {
  const lastAttempts = [{ time: '2026-01-01T11:00:00Z', result: '</title><script>', tookMs: 1 }]
  expect(String(timeline({ attempts: 1, lastAttempts }))).not.toMatch(/<script|<\/title><s/)
})
