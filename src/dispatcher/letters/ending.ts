/**
 * What is under way when the signal aborts has `drainTimeoutMs` to end; then `abandon` is called, and some seconds later the
 * connections are dropped.
 */
export const endingAfter = (signal: AbortSignal, drainTimeoutMs: number, abandon: () => void) => {
  const drop = new AbortController()
  const timers: NodeJS.Timeout[] = []
  const begin = (): void => {
    timers.push(
      setTimeout(abandon, drainTimeoutMs),
      setTimeout(() => drop.abort(), drainTimeoutMs + dropAfterMs),
    )
  }
  signal.addEventListener('abort', begin, { once: true })
  return {
    drop: drop.signal,
    clear(): void {
      signal.removeEventListener('abort', begin)
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

const dropAfterMs = 3_000

/** Reports one after the other, so that none is written after a later one. One that fails is made up for by the next. */
export const inOneChain = () => {
  let last: Promise<void> = Promise.resolve()
  return {
    add(report: () => Promise<void>): void {
      last = last.then(report).catch(() => undefined)
    },
    done: (): Promise<void> => last,
  }
}
