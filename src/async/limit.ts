/** Runs each piece of work it is given, never more than `most` at a time, in the order given. */
export const atMost = (most: number): (<T>(work: () => Promise<T>) => Promise<T>) => {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      // The place passes straight to the next in line, so no other work can slip in between.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
