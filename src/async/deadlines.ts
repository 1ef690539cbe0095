/** Something that must be over by a time. */
export type Deadline = {
  /** On the clock of `performance.now()`, in ms. */
  expiresAt: number
  previous: Deadline | undefined
  next: Deadline | undefined
  expire(): void
}

export type Deadlines = {
  /** Starts the time of an entry that is not waiting. */
  add(entry: Deadline): void
  /** Ends its time; nothing happens where it is over already. */
  remove(entry: Deadline): void
  /** Forgets all entries without expiring them. */
  clear(): void
}

/**
 * Deadlines that are all `timeoutMs` away when they begin, so that their order is the order of adding and one timer, for
 * the oldest, serves them all. Removing does not touch the timer: it looks at the oldest when it fires.
 */
export const createDeadlines = (timeoutMs: number): Deadlines => {
  let oldest: Deadline | undefined
  let newest: Deadline | undefined
  let timer: NodeJS.Timeout | undefined

  const unlink = (entry: Deadline): void => {
    if (entry.previous === undefined) oldest = entry.next
    else entry.previous.next = entry.next
    if (entry.next === undefined) newest = entry.previous
    else entry.next.previous = entry.previous
    entry.previous = undefined
    entry.next = undefined
    entry.expiresAt = 0
  }

  const arm = (): void => {
    // It may have expired while others were being expired.
    timer = oldest && setTimeout(fire, Math.max(1, Math.ceil(oldest.expiresAt - performance.now())))
  }

  const fire = (): void => {
    const now = performance.now()
    while (oldest !== undefined && oldest.expiresAt <= now) {
      const entry = oldest
      unlink(entry)
      entry.expire()
    }
    arm()
  }

  return {
    add: (entry) => {
      entry.expiresAt = performance.now() + timeoutMs
      entry.previous = newest
      if (newest === undefined) oldest = entry
      else newest.next = entry
      newest = entry
      if (timer === undefined) arm()
    },
    remove: (entry) => {
      if (entry.expiresAt !== 0) unlink(entry)
    },
    clear: () => {
      clearTimeout(timer)
      timer = undefined
      oldest = undefined
      newest = undefined
    },
  }
}
