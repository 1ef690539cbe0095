import type { Letter } from './letter.ts'

/** What the dead letters of one cause have in common. Times are in ms since 1970. */
export type Group = {
  readonly group: string
  readonly reason: string
  readonly statusCode: number | undefined
  readonly problem: string | undefined
  /** Of its latest letter. */
  error: string
  count: number
  first: number | undefined
  last: number | undefined
  /** How many were replayed before. */
  replayed: number
  /** The types of its events and how many there are of each; what is beyond the first ten is not counted. */
  readonly types: Map<string, number>
  /** The ids of some of its letters. */
  readonly samples: string[]
}

const mostGroups = 1_000
const mostTypes = 10
const mostSamples = 3

/**
 * The dead letters of one queue by their cause. Beyond a thousand causes they are only counted: their errors differ in a way
 * that {@link fingerprint} does not see, and the memory is bounded.
 */
export class Groups {
  readonly #groups = new Map<string, Group>()
  #others = 0
  #oldest: number | undefined

  get count(): number {
    let count = this.#others
    for (const group of this.#groups.values()) count += group.count
    return count
  }

  /** When the oldest letter was dead-lettered, of those that say so. */
  get oldest(): number | undefined {
    return this.#oldest
  }

  /** Letters in none of the groups. */
  get others(): number {
    return this.#others
  }

  add(letter: Letter): void {
    const { deadLettered, eventType } = letter
    if (deadLettered !== undefined) this.#oldest = Math.min(this.#oldest ?? deadLettered, deadLettered)
    const group = this.#groups.get(letter.group) ?? this.#new(letter)
    if (group === undefined) {
      this.#others += 1
      return
    }
    group.count += 1
    if (letter.replays > 0) group.replayed += 1
    if (deadLettered !== undefined) {
      group.first = Math.min(group.first ?? deadLettered, deadLettered)
      if (deadLettered >= (group.last ?? deadLettered)) {
        group.last = deadLettered
        group.error = letter.error
      }
    }
    const type = eventType?.slice(0, 128)
    if (type !== undefined && (group.types.has(type) || group.types.size < mostTypes))
      group.types.set(type, (group.types.get(type) ?? 0) + 1)
    if (group.samples.length < mostSamples && !group.samples.includes(letter.id)) group.samples.push(letter.id)
  }

  /** The largest groups first. */
  largest(): Group[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count || (a.group < b.group ? -1 : 1))
  }

  #new({ group, reason, statusCode, problem, error }: Letter): Group | undefined {
    if (this.#groups.size >= mostGroups) return undefined
    const made: Group = {
      ...{ group, reason, statusCode, problem, error },
      ...{ count: 0, first: undefined, last: undefined, replayed: 0, types: new Map(), samples: [] },
    }
    this.#groups.set(group, made)
    return made
  }
}
