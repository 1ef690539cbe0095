import { Registry } from 'prom-client'
import { DelayedMessages } from '../../src/telemetry/delayed-gauge.ts'
import { FollowedGauge } from '../../src/telemetry/followed-gauge.ts'

const minute = 60_000

test('a delayed message counts until it is due, and no longer than 3 % of its delay over it', () => {
  const delayed = new DelayedMessages()
  for (let at = 0; at < 600_000; at += 1_000) delayed.add(10 * minute, at)
  expect(delayed.count(599_000)).toBe(600)
  for (const now of [700_000, 900_000, 1_100_000]) {
    const exact = 1_200 - now / 1_000
    const found = delayed.count(now)
    expect(found).toBeGreaterThanOrEqual(exact - 1)
    expect(found).toBeLessThanOrEqual(exact + 600 * 0.033)
  }
  expect(delayed.count(1_200_000)).toBe(0)
})

test('messages of all delays count together, and a million of them are no more than some groups', () => {
  const delayed = new DelayedMessages()
  for (let at = 0; at < 1_000_000; at += 1) delayed.add(minute, at / 20)
  delayed.add(5_000, 50_000)
  expect(delayed.count(50_000)).toBe(1_000_001)
  expect(delayed.count(56_000)).toBe(1_000_000)
  expect(delayed.count(110_000)).toBe(0)
})

test('a followed gauge asks all that are followed, and its series goes with the last of them', async () => {
  const registry = new Registry()
  const gaugeOf = (how: 'sum' | 'most') =>
    new FollowedGauge(how, { name: how, help: 'help', labelNames: ['name'], registers: [registry] })
  const [sum, most] = [gaugeOf('sum'), gaugeOf('most')]
  const lines = async () => (await registry.metrics()).split('\n').filter((line) => /^\w/.test(line))
  let value = 1
  const ends = [sum, most].flatMap((gauge) => [
    gauge.follow({ name: 'a' }, () => value),
    gauge.follow({ name: 'a' }, () => 5),
  ])
  expect(await lines()).toEqual(['sum{name="a"} 6', 'most{name="a"} 5'])
  value = 7
  expect(await lines()).toEqual(['sum{name="a"} 12', 'most{name="a"} 7'])
  ends[0]?.()
  expect(await lines()).toEqual(['sum{name="a"} 5', 'most{name="a"} 7'])
  ends[1]?.()
  expect(await lines()).toEqual(['most{name="a"} 7'])
})

test('what ends after its series was removed does not remove that of another one', async () => {
  const registry = new Registry()
  const gauge = new FollowedGauge('most', { name: 'g', help: 'help', labelNames: ['name'], registers: [registry] })
  const end = gauge.follow({ name: 'a' }, () => 1)
  gauge.remove({ name: 'a' })
  gauge.follow({ name: 'a' }, () => 2)
  end()
  expect(await registry.metrics()).toContain('g{name="a"} 2')
})
