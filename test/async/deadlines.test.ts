import { setTimeout as delay } from 'node:timers/promises'
import { createDeadlines, type Deadline } from '../../src/async/deadlines.ts'

const timeoutMs = 40

const entries = (count: number) => {
  const expired: number[] = []
  const all = Array.from(
    { length: count },
    (_, index): Deadline => ({
      ...{ expiresAt: 0, previous: undefined, next: undefined },
      expire: () => expired.push(index),
    }),
  )
  return { all, expired, entry: (index: number) => all[index] as Deadline }
}

test('deadlines expire in the order of adding, and not before their time', async () => {
  const deadlines = createDeadlines(timeoutMs)
  const { all, expired } = entries(3)
  const begun = performance.now()
  for (const entry of all) deadlines.add(entry)
  while (expired.length < 3) {
    if (expired.length > 0) expect(performance.now() - begun).toBeGreaterThanOrEqual(timeoutMs - 1)
    await delay(2)
  }
  expect(expired).toEqual([0, 1, 2])
})

test('a deadline that is removed, wherever it stands, does not expire, and the others do', async () => {
  const deadlines = createDeadlines(timeoutMs)
  const { all, expired, entry } = entries(5)
  for (const each of all) deadlines.add(each)
  for (const index of [0, 2, 4]) deadlines.remove(entry(index))
  deadlines.remove(entry(2))
  await delay(timeoutMs * 3)
  expect(expired).toEqual([1, 3])
})

test('a deadline may be added again after it was removed or has expired, with its whole time', async () => {
  const deadlines = createDeadlines(timeoutMs)
  const { expired, entry } = entries(1)
  deadlines.add(entry(0))
  await delay(timeoutMs / 2)
  deadlines.remove(entry(0))
  deadlines.add(entry(0))
  await delay(timeoutMs * 3)
  deadlines.add(entry(0))
  await delay(timeoutMs * 3)
  expect(expired).toEqual([0, 0])
})

test('no deadline expires after all are cleared, and new ones do', async () => {
  const deadlines = createDeadlines(timeoutMs)
  const { expired, entry } = entries(3)
  deadlines.add(entry(0))
  deadlines.add(entry(1))
  deadlines.clear()
  deadlines.add(entry(2))
  await delay(timeoutMs * 3)
  expect(expired).toEqual([2])
})
