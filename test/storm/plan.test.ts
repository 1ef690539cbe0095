import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { planOf, stepText, withSteps } from './plan.ts'
import { messageAt } from './producers/messages.ts'
import { randomOf } from './random.ts'
import { shrink } from './shrink.ts'

const options = { seed: 7, durationMs: 60_000, messagesPerSecond: 30, faults: ['kill -9', 'silence'] }

/** Comparing large bodies byte by byte would take minutes. */
const written = (seed: number, index: number): string => {
  const { body, ...rest } = messageAt(seed, index)
  return `${inspect(rest, { depth: 20 })} ${createHash('sha1').update(body).digest('hex')}`
}

test('the same seed makes the same plan and the same messages, another one others', () => {
  expect(planOf(options)).toEqual(planOf(options))
  expect(planOf({ ...options, seed: 8 })).not.toEqual(planOf(options))
  for (let index = 0; index < 200; index++) expect(written(7, index)).toBe(written(7, index))
  expect(written(8, 3)).not.toBe(written(7, 3))
})

test('a plan has steps in the order of time, of every kind', () => {
  const { steps } = planOf(options)
  expect(steps.map(({ atMs }) => atMs)).toEqual(steps.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
  expect(new Set(steps.map(({ is }) => is))).toEqual(new Set(['fault', 'edit', 'mood']))
  expect(steps.map(stepText).join('\n')).toMatch(/kill -9, for|silence, for/)
})

test('a plan can be reduced to some of its steps, which stay what they were', () => {
  const plan = planOf(options)
  const fewer = withSteps(plan, new Set([2, 5]))
  expect(fewer.steps).toEqual([plan.steps[1], plan.steps[4]])
  expect(fewer.subscriptions).toEqual(plan.subscriptions)
})

test('random numbers are spread evenly, and lie within their bounds', () => {
  const random = randomOf(1)
  const counts = [0, 0, 0, 0]
  for (let each = 0; each < 4_000; each++) counts[random.between(0, 3)]! += 1
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150)
})

test.each([
  { culprits: [17], most: 100, fewest: [17] },
  { culprits: [3, 19], most: 200, fewest: [3, 19] },
  { culprits: [1, 2, 20], most: 200, fewest: [1, 2, 20] },
  { culprits: [], most: 100, fewest: [] },
])('shrinking finds that $culprits are enough to fail', async ({ culprits, most, fewest }) => {
  const numbers = Array.from({ length: 20 }, (_, each) => each + 1)
  const fails = async (some: readonly number[]) => culprits.every((one) => some.includes(one))
  expect(await shrink(numbers, fails, most)).toEqual(fewest)
})

test('shrinking stops when it has asked often enough', async () => {
  let asked = 0
  await shrink([1, 2, 3, 4, 5, 6, 7, 8], async () => ++asked < 0, 3)
  expect(asked).toBe(3)
})
