import { setTimeout as delay } from 'node:timers/promises'
import { pause, unlessAborted } from '../../src/async/abort.ts'

describe('a pause', () => {
  test('lasts as long as it should', async () => {
    const begun = performance.now()
    await pause(30, new AbortController().signal)
    expect(performance.now() - begun).toBeGreaterThan(25)
  })

  test('ends at once with the signal, without an error', async () => {
    const stop = new AbortController()
    const begun = performance.now()
    const paused = pause(10_000, stop.signal)
    stop.abort()
    await paused
    await pause(10_000, stop.signal)
    expect(performance.now() - begun).toBeLessThan(1_000)
  })
})

describe('work unless aborted', () => {
  test('resolves to what the work resolves to', async () => {
    expect(await unlessAborted(Promise.resolve(7), new AbortController().signal)).toBe(7)
    expect(await unlessAborted(Promise.resolve(7), undefined)).toBe(7)
  })

  test('rejects with what the work rejects with', async () => {
    const failing = Promise.reject(new Error('broken'))
    await expect(unlessAborted(failing, new AbortController().signal)).rejects.toThrow('broken')
  })

  test('resolves to undefined once the signal aborts, and at once where it did before', async () => {
    const stop = new AbortController()
    const never = new Promise<number>(() => {})
    const waiting = unlessAborted(never, stop.signal)
    stop.abort()
    expect(await waiting).toBeUndefined()
    expect(await unlessAborted(never, stop.signal)).toBeUndefined()
  })

  test('that fails after the signal is not an unhandled rejection', async () => {
    const stop = new AbortController()
    const work = delay(20).then(() => Promise.reject(new Error('too late')))
    const waiting = unlessAborted(work, stop.signal)
    stop.abort()
    expect(await waiting).toBeUndefined()
    await delay(40)
  })
})
