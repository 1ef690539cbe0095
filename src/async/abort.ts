import { setTimeout } from 'node:timers/promises'

/** Waits so many milliseconds, or until the signal aborts. Never rejects. */
export const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined)
}

/** Resolves when the signal aborts, at once where it has. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

/** What `work` resolves to, or `undefined` once the signal aborts, whichever is first. */
export const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> => {
  if (signal === undefined) return work
  const aborted = Promise.withResolvers<undefined>()
  const abort = () => aborted.resolve(undefined)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort)
  return Promise.race([aborted.promise, work]).finally(() => signal.removeEventListener('abort', abort))
}
