/**
 * The one place in a process where a suspect is tried: a message that came back to its queue so often that it may be what ends
 * the process. Two at a time would be blamed for each other.
 */
export const createIsolation = () => {
  let isTaken = false
  return {
    /** Takes the place until the returned function is called; `undefined` where another suspect has it. */
    enter(): (() => void) | undefined {
      if (isTaken) return undefined
      isTaken = true
      let isLeft = false
      return () => {
        if (isLeft) return
        isLeft = true
        isTaken = false
      }
    },
  }
}

export type Isolation = ReturnType<typeof createIsolation>
