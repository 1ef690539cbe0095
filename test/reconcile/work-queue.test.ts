import { setTimeout as delay } from 'node:timers/promises'
import type { Again } from '../../src/reconcile/controller.ts'
import { workQueue } from '../../src/reconcile/work-queue.ts'
import { eventually } from '../support/wait.ts'

/** A queue whose work is recorded. */
const queueOf = (work: (key: string) => Promise<Again | undefined>) => {
  const stop = new AbortController()
  const begun: string[] = []
  const failures: { key: string; retryMs: number }[] = []
  const running = new Set<string>()
  let overlaps = 0
  const queue = workQueue(
    {
      async work(key) {
        begun.push(key)
        if (running.has(key)) overlaps += 1
        running.add(key)
        try {
          return await work(key)
        } finally {
          running.delete(key)
        }
      },
      failed: (key, _, retryMs) => failures.push({ key, retryMs }),
      random: () => 0,
    },
    stop.signal,
  )
  const end = () => {
    stop.abort()
    return queue.done
  }
  return { queue, begun, failures, overlaps: () => overlaps, end }
}

test('a key that is added several times before its work begins is worked on once', async () => {
  const { queue, begun, end } = queueOf(async () => undefined)
  for (let times = 0; times < 10; times += 1) queue.add('a')
  queue.add('b')
  await eventually(() => begun.includes('b'))
  expect(begun.toSorted()).toEqual(['a', 'b'])
  await end()
})

test('a key that is added during its work is worked on once more, and never twice at once', async () => {
  const held = Promise.withResolvers<undefined>()
  const { queue, begun, overlaps, end } = queueOf(() =>
    begun.length === 1 ? held.promise : Promise.resolve(undefined),
  )
  queue.add('a')
  await eventually(() => begun.length === 1)
  queue.add('a')
  // Due while the work still runs.
  queue.add('a', 30)
  queue.add('b', 60)
  await eventually(() => begun.includes('b'))
  held.resolve(undefined)
  await eventually(() => begun.length === 3)
  expect(begun).toEqual(['a', 'b', 'a'])
  expect(overlaps()).toBe(0)
  await end()
})

test('a key whose work fails is retried after growing pauses, and no other key', async () => {
  const { queue, begun, failures, end } = queueOf(async (key) => {
    if (key === 'bad' && failures.length < 3) throw new Error('not yet')
    return undefined
  })
  queue.add('bad')
  queue.add('good')
  await eventually(() => begun.filter((key) => key === 'bad').length === 4)
  expect(failures.map(({ retryMs }) => retryMs)).toEqual([125, 250, 500])
  expect(begun.filter((key) => key === 'good')).toHaveLength(1)
  await end()
})

test('a key is worked on again after the time that its work asks for', async () => {
  const { queue, begun, end } = queueOf(async () => (begun.length < 3 ? { againMs: 1 } : undefined))
  queue.add('a')
  await eventually(() => begun.length === 3)
  await end()
})

test('a key that is asked for later is worked on then too, when something else made it due before', async () => {
  const begunAt: number[] = []
  const { queue, end } = queueOf(async () => {
    begunAt.push(performance.now())
    return { againMs: 60_000 }
  })
  const askedAt = performance.now()
  queue.add('a')
  queue.add('a', 300)
  await eventually(() => begunAt.length === 2)
  expect(begunAt[1]).toBeGreaterThan(askedAt + 290)
  // Each of them is one time, however often it is asked for.
  queue.add('b')
  await eventually(() => begunAt.length === 3)
  await delay(100)
  expect(begunAt).toHaveLength(3)
  await end()
})

test('the end of a work queue waits for work in flight, and no work begins after it', async () => {
  const held = Promise.withResolvers<undefined>()
  const { queue, begun, end } = queueOf(() => held.promise)
  queue.add('a')
  await eventually(() => begun.length === 1)
  queue.add('a')
  const ended = end()
  queue.add('b')
  expect(await Promise.race([ended.then(() => 'ended'), delay(50, 'waits')])).toBe('waits')
  held.resolve(undefined)
  await ended
  expect(begun).toEqual(['a'])
})
