/** What was counted of one subscription until now. */
export type Counted = { readonly delivered: number; readonly failed: number }

/** One subscription in the last hour: 60 minutes, the oldest first, the present one last. What is not known is `null`. */
export type LastHour = {
  readonly delivered: readonly (number | null)[]
  /** Attempts. */
  readonly failed: readonly (number | null)[]
  /** Messages that waited at the end of the minute. */
  readonly backlog: readonly (number | null)[]
}

export const minuteMs = 60_000
export const minutes = 60
const fields = 3
const mostOfOne = 2 ** 32 - 1

/** The minute of a time in ms since 1970. */
export const minuteOf = (timeMs: number): number => Math.floor(timeMs / minuteMs)

/** The last hour of one subscription, from counts that only grow: a ring, which a subscription at rest does not have. */
export class HourRing {
  #counted: Counted
  #ring: Uint32Array | undefined
  /** The latest minute of the ring. */
  #latest = 0
  #latestUsed = 0

  /** What is counted by now is of before. */
  constructor(counted: Counted) {
    this.#counted = counted
  }

  /** What is counted by now belongs to this minute. Counts that shrank are of a replica that was forgotten. */
  see(counted: Counted, backlog: number, minute: number): void {
    const delivered = Math.max(0, counted.delivered - this.#counted.delivered)
    const failed = Math.max(0, counted.failed - this.#counted.failed)
    this.#counted = counted
    const isUsed = delivered > 0 || failed > 0 || backlog > 0
    if (!isUsed && this.#ring === undefined) return
    const ring = this.#turnTo(minute)
    const at = (this.#latest % minutes) * fields
    ring[at] = Math.min(mostOfOne, (ring[at] ?? 0) + delivered)
    ring[at + 1] = Math.min(mostOfOne, (ring[at + 1] ?? 0) + failed)
    ring[at + 2] = Math.min(mostOfOne, backlog)
    if (isUsed) this.#latestUsed = this.#latest
    else if (this.#latest - this.#latestUsed >= minutes) this.#ring = undefined
  }

  /** The hour that ends with this minute; `undefined` where nothing happened. Nothing is known of before `begun`. */
  hour(minute: number, begun: number): LastHour | undefined {
    if (this.#ring === undefined) return undefined
    const ring = this.#turnTo(minute)
    const first = this.#latest - minutes + 1
    const row = (field: number): (number | null)[] =>
      Array.from({ length: minutes }, (_, at) =>
        first + at < begun ? null : (ring[((first + at) % minutes) * fields + field] ?? 0),
      )
    return { delivered: row(0), failed: row(1), backlog: row(2) }
  }

  /** Makes this minute the latest, unless a later one is; those between were empty. */
  #turnTo(minute: number): Uint32Array {
    if (this.#ring === undefined) {
      this.#ring = new Uint32Array(minutes * fields)
      this.#latest = minute
    }
    const from = Math.max(this.#latest + 1, minute - minutes + 1)
    for (let each = from; each <= minute; each += 1) {
      const at = (each % minutes) * fields
      this.#ring.fill(0, at, at + fields)
    }
    this.#latest = Math.max(this.#latest, minute)
    return this.#ring
  }
}
