import { setTimeout as delay } from 'node:timers/promises'
import { repeat } from '../../src/async/repeat.ts'

test('work is repeated with a pause before each time, one at a time, until its signal aborts', async () => {
  const stop = new AbortController()
  let times = 0
  let running = 0
  const ended = repeat(
    5,
    async () => {
      running += 1
      expect(running).toBe(1)
      await delay(10)
      running -= 1
      times += 1
      if (times === 3) stop.abort()
    },
    stop.signal,
  )
  expect(times).toBe(0)
  await ended
  await delay(30)
  expect(times).toBe(3)
})

test('work is not repeated after its signal aborts in a pause, or before the first time', async () => {
  const stop = new AbortController()
  let times = 0
  const work = () => {
    times += 1
  }
  const ended = repeat(10_000, work, stop.signal)
  stop.abort()
  await ended
  await repeat(0, work, stop.signal)
  expect(times).toBe(0)
})

test('an error of repeated work ends the repetition and rejects', async () => {
  const failing = () => {
    throw new Error('broken')
  }
  await expect(repeat(0, failing, new AbortController().signal)).rejects.toThrow('broken')
})
