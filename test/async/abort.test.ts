import { setTimeout as delay } from 'node:timers/promises'
import { pause, unlessAborted } from '../../src/async/abort.ts'

describe('a pause', () => {
  test('a pause lasts for the given time', async () => {
    const begun = performance.now()
    await pause(30, new AbortController().signal)
    expect(performance.now() - begun).toBeGreaterThan(25)
  })

  test('a pause ends at once when its signal aborts, without an error', async () => {
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
  test('work that is not aborted resolves to its result', async () => {
    expect(await unlessAborted(Promise.resolve(7), new AbortController().signal)).toBe(7)
    expect(await unlessAborted(Promise.resolve(7), undefined)).toBe(7)
  })

  test('work that is not aborted rejects with its error', async () => {
    const failing = Promise.reject(new Error('broken'))
    await expect(unlessAborted(failing, new AbortController().signal)).rejects.toThrow('broken')
  })

  test('work resolves to undefined once its signal aborts, and at once if the signal is aborted already', async () => {
    const stop = new AbortController()
    const never = new Promise<number>(() => {})
    const waiting = unlessAborted(never, stop.signal)
    stop.abort()
    expect(await waiting).toBeUndefined()
    expect(await unlessAborted(never, stop.signal)).toBeUndefined()
  })

  test('work that fails after its signal aborted causes no unhandled rejection', async () => {
    const stop = new AbortController()
    const work = delay(20).then(() => Promise.reject(new Error('too late')))
    const waiting = unlessAborted(work, stop.signal)
    stop.abort()
    expect(await waiting).toBeUndefined()
    await delay(40)
  })
})
