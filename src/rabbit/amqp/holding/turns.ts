export type Turn = {
  /** Whether somebody waits for the next turn who is in a hurry, such as a person who asked for a list. */
  readonly isAwaited: boolean
  /** May be called twice. */
  end(): void
}

/** Who holds the queue of a key now and who waits for it: `last` ends with the last of them. */
type Line = { last: Promise<void>; hurried: number }
const lines = new Map<string, Line>()

/**
 * Waits until nobody else in this process holds the queue: who holds messages hides them from all others, who would take what is
 * left for everything. Who is `patient` is not seen by the one whose turn it is.
 */
export const turnFor = async (key: string, { patient = false } = {}): Promise<Turn> => {
  const line = lines.get(key) ?? { last: Promise.resolve(), hurried: 0 }
  lines.set(key, line)
  const mine = Promise.withResolvers<void>()
  const before = line.last
  const last = before.then(() => mine.promise)
  line.last = last
  if (!patient) line.hurried += 1
  await before
  if (!patient) line.hurried -= 1
  return {
    get isAwaited() {
      return line.hurried > 0
    },
    end() {
      mine.resolve()
      if (line.last === last) lines.delete(key)
    },
  }
}
