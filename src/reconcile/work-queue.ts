import { type Backoff, backoffMs } from '../async/backoff.ts'
import type { Again, Wake } from './controller.ts'

export type WorkQueue = {
  readonly add: Wake
  /** Resolves when the signal was aborted and nothing is in flight any more. */
  readonly done: Promise<void>
}

export type WorkQueueOptions = {
  /** Reads the current state itself: a key says what, never why. What throws is tried again after growing pauses. */
  work(key: string, signal: AbortSignal): Promise<Again | undefined>
  failed(key: string, error: unknown, retryMs: number): void
  /** From 0 to 1, for jitter. */
  random(): number
}

/** Events that belong together arrive within this time. */
const gatherMs = 20
const backoff: Backoff = { first: 250, most: 5_000 }

type Entry = {
  timer: NodeJS.Timeout | undefined
  dueAt: number
  /** The last time that was asked for with a delay: work before it may come too early to see what it is about. */
  askedFor: number
  running: boolean
  askedMeanwhile: boolean
  failures: number
}

const newEntry = (): Entry => ({
  timer: undefined,
  dueAt: 0,
  askedFor: 0,
  running: false,
  askedMeanwhile: false,
  failures: 0,
})

/** Works on each key, never on the same key twice at once, with backoff per key. */
export const workQueue = (options: WorkQueueOptions, signal: AbortSignal): WorkQueue => {
  const entries = new Map<string, Entry>()
  const { promise: done, resolve: finish } = Promise.withResolvers<void>()
  let inFlight = 0

  const schedule = (key: string, entry: Entry, delayMs: number) => {
    const dueAt = performance.now() + delayMs
    if (signal.aborted || (entry.timer && entry.dueAt <= dueAt)) return
    clearTimeout(entry.timer)
    entry.dueAt = dueAt
    entry.timer = setTimeout(() => void run(key, entry), delayMs)
  }

  const run = async (key: string, entry: Entry) => {
    entry.timer = undefined
    if (entry.running) {
      entry.askedMeanwhile = true
      return
    }
    entry.running = true
    inFlight += 1
    const begunAt = Math.max(performance.now(), entry.dueAt)
    const nextMs = await attempt(key, entry, options, signal)
    entry.running = false
    inFlight -= 1
    if (signal.aborted) {
      if (inFlight === 0) finish()
    } else if (entry.askedMeanwhile) {
      entry.askedMeanwhile = false
      schedule(key, entry, gatherMs)
    } else {
      if (nextMs !== undefined) schedule(key, entry, nextMs)
      if (entry.askedFor > begunAt) schedule(key, entry, Math.max(gatherMs, entry.askedFor - performance.now()))
      if (entry.timer === undefined) entries.delete(key)
    }
  }

  const stop = () => {
    for (const { timer } of entries.values()) clearTimeout(timer)
    if (inFlight === 0) finish()
  }
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop)

  return {
    done,
    add(key, delayMs = gatherMs) {
      const entry = entries.get(key) ?? newEntry()
      entries.set(key, entry)
      if (delayMs > gatherMs) entry.askedFor = Math.max(entry.askedFor, performance.now() + delayMs)
      if (entry.running && delayMs <= gatherMs) entry.askedMeanwhile = true
      else schedule(key, entry, delayMs)
    },
  }
}

/** Works on the key once; resolves to when it is to be worked on again, if at all. */
const attempt = async (
  key: string,
  entry: Entry,
  { work, failed, random }: WorkQueueOptions,
  signal: AbortSignal,
): Promise<number | undefined> => {
  try {
    const again = await work(key, signal)
    entry.failures = 0
    return again?.againMs
  } catch (error) {
    entry.failures += 1
    const retryMs = backoffMs(entry.failures, backoff, random)
    if (!signal.aborted) failed(key, error, retryMs)
    return retryMs
  }
}
