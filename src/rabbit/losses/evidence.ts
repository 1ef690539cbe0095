/** Why an open connection ended. `text` is for people. */
export type Loss = {
  /** `broker`: it closed the connection, with a code. `unreadable`: what it sent is not AMQP as we understand it. */
  readonly by: 'broker' | 'socket' | 'unreadable'
  readonly code?: number
  readonly text: string
}

/** A broker that shuts down, or a person who closes the connection: no message's doing. */
const connectionForced = 320

/** A connection that lived for less may have been ended by what came over it. */
const briefMs = 10_000
const briefInARow = 3

/** Whether a loss shows by itself that what the connection carried ended it. */
export const isTelling = ({ by, code }: Loss): boolean =>
  by === 'unreadable' || (by === 'broker' && code !== connectionForced)

/** How many lives of a connection were brief, one after the other, while the control was up all the time. */
export const briefLives = (before: number, life: Life, now: number): number => {
  const isBrief = life.upSince !== undefined && now - life.upSince < briefMs
  const isItsOwn = life.upSince !== undefined && life.controlSince !== undefined && life.controlSince <= life.upSince
  return isBrief && isItsOwn ? before + 1 : 0
}

/** Times are in ms; `controlSince`: since when the connection that consumes nothing is up, where it is. */
export type Life = { readonly upSince: number | undefined; readonly controlSince: number | undefined }

/** Whether so many brief lives are no accident any more. */
export const isPattern = (brief: number): boolean => brief >= briefInARow
