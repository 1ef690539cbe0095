import { setTimeout as delay } from 'node:timers/promises'
import { atMost } from '../../src/async/limit.ts'

test('a limiter starts work in the order given, never more at a time than allowed', async () => {
  const inTurn = atMost(3)
  const begun: number[] = []
  let running = 0
  let most = 0
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      inTurn(async () => {
        begun.push(index)
        running += 1
        most = Math.max(most, running)
        await delay(index % 3)
        running -= 1
        return index
      }),
    ),
  )
  expect(begun).toEqual(Array.from({ length: 20 }, (_, index) => index))
  expect([most, results]).toEqual([3, begun])
})

test('work in a limiter that fails rejects for its caller and makes room for the next', async () => {
  const inTurn = atMost(1)
  const failing = inTurn(() => Promise.reject(new Error('broken')))
  const next = inTurn(async () => 'next')
  await expect(failing).rejects.toThrow('broken')
  expect(await next).toBe('next')
  await expect(
    inTurn(() => {
      throw new Error('at once')
    }),
  ).rejects.toThrow('at once')
  expect(await inTurn(async () => 'still')).toBe('still')
})
