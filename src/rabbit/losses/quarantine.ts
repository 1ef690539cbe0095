import { briefLives, isPattern, isTelling, type Life, type Loss } from './evidence.ts'

/** A connection to consume on, by number. */
export type Lane = number

/** The lane of every queue that nobody suspects. It is always there. */
export const sharedLane: Lane = 0

/** Where a queue is consumed: on a lane, or nowhere for now. */
export type Place = { readonly lane: Lane; readonly oneByOne: boolean } | { readonly waitsUntil: number }

/** A queue whose consumer ended a connection that it had for itself. Times are in ms. */
export type Culprit = {
  readonly since: number
  /** What ended the connection, for people. */
  readonly cause: string
  /** When it is consumed again, on a connection of its own. */
  readonly againAt: number
}

type Quarantined = Culprit & { readonly strikes: number }
type Queue = { place: Place; culprit?: Quarantined | undefined }
type LaneState = {
  readonly queues: Set<string>
  /** How long it must have been up before its queues join the shared lane. */
  calmMs: number
  isTrial: boolean
  upSince: number | undefined
  brief: number
}

const parts = 8
const mostLanes = 64
const mostTrials = 8
const calmMs = 60_000
/** A queue that was a culprit stays alone for longer: nobody else is to pay for its next message. */
const longCalmMs = 600_000
const releasedAfterMs = 10_000
const firstWaitMs = 10_000
const longestWaitMs = 300_000

/**
 * Finds the queue whose messages end connections, and sets it apart. The queues of a connection that was lost suspiciously
 * are spread over several; one that is lost again is split further, until one with a single queue is lost: that queue waits,
 * and is tried again alone, message by message. All others go on. After a calm they join the shared connection again.
 *
 * It holds no connection and knows no clock: the caller tells it what happened, and then does what `lanes` and `placeOf` say.
 */
export class Quarantine {
  readonly #queues = new Map<string, Queue>()
  readonly #lanes = new Map<Lane, LaneState>([[sharedLane, newLane([], calmMs)]])
  #lastLane = sharedLane
  #lastLoss = Number.NEGATIVE_INFINITY

  /** A queue has its first consumer. */
  add(queue: string): void {
    if (this.#queues.has(queue)) return
    this.#queues.set(queue, { place: onLane(sharedLane) })
    this.#lane(sharedLane).queues.add(queue)
  }

  /** A queue has no consumer any more. */
  remove(queue: string): void {
    this.#leave(queue)
    this.#queues.delete(queue)
  }

  /** The lanes that are to be open. */
  get lanes(): ReadonlySet<Lane> {
    return new Set(this.#lanes.keys())
  }

  placeOf(queue: string): Place {
    return this.#queues.get(queue)?.place ?? onLane(sharedLane)
  }

  /** What is known against a queue, until it was consumed for a while without a loss. */
  culpritOf(queue: string): Culprit | undefined {
    return this.#queues.get(queue)?.culprit
  }

  opened(lane: Lane, now: number): void {
    const state = this.#lanes.get(lane)
    if (state) state.upSince = now
  }

  /** A lane that was open is lost. `controlSince`: since when the connection that consumes nothing is up, where it is. */
  lost(lane: Lane, loss: Loss, controlSince: Life['controlSince'], now: number): void {
    const state = this.#lanes.get(lane)
    if (state === undefined) return
    state.brief = briefLives(state.brief, { upSince: state.upSince, controlSince }, now)
    state.upSince = undefined
    if (!isTelling(loss) && !isPattern(state.brief)) return
    this.#lastLoss = now
    const queues = [...state.queues]
    const brief = isTelling(loss) ? 0 : state.brief - 1
    state.brief = 0
    for (const queue of queues) this.#leave(queue)
    if (queues.length === 1) this.#setApart(queues[0] as string, loss.text, now)
    else this.#split(queues, brief)
  }

  /** Does what is due by `now`: tries culprits again, releases them, and lets queues that were calm join the others. */
  tick(now: number): void {
    for (const [lane, state] of this.#lanes) {
      if (lane === sharedLane || state.upSince === undefined) continue
      if (state.isTrial && now >= state.upSince + releasedAfterMs) this.#release(lane, state)
      if (now >= this.#calmAt(state)) for (const queue of state.queues) this.#join(queue)
    }
    for (const [queue, { place }] of this.#queues) {
      if ('waitsUntil' in place && place.waitsUntil <= now && this.#trials() < mostTrials) this.#tryAgain(queue)
    }
  }

  /** When `tick` has something to do next, as far as is known now. */
  get nextAt(): number | undefined {
    let next = Number.POSITIVE_INFINITY
    for (const [lane, state] of this.#lanes) {
      if (lane === sharedLane || state.upSince === undefined) continue
      next = Math.min(next, state.isTrial ? state.upSince + releasedAfterMs : this.#calmAt(state))
    }
    if (this.#trials() < mostTrials)
      for (const { place } of this.#queues.values()) if ('waitsUntil' in place) next = Math.min(next, place.waitsUntil)
    return next === Number.POSITIVE_INFINITY ? undefined : next
  }

  #split(queues: readonly string[], brief: number): void {
    if (queues.length === 0) return
    const count = Math.min(parts, queues.length, Math.max(2, mostLanes - this.#lanes.size))
    const lanes = Array.from({ length: count }, () => this.#open(calmMs, brief))
    for (const [index, queue] of queues.entries()) this.#put(queue, lanes[index % count] as Lane)
  }

  #setApart(queue: string, cause: string, now: number): void {
    const before = this.#queue(queue).culprit
    const strikes = (before?.strikes ?? 0) + 1
    const againAt = now + Math.min(firstWaitMs * 2 ** (strikes - 1), longestWaitMs)
    const culprit = { since: before?.since ?? now, cause, againAt, strikes }
    this.#queues.set(queue, { culprit, place: { waitsUntil: againAt } })
  }

  #tryAgain(queue: string): void {
    const lane = this.#open(longCalmMs, 0)
    this.#lane(lane).isTrial = true
    this.#put(queue, lane, true)
  }

  #release(lane: Lane, state: LaneState): void {
    state.isTrial = false
    for (const queue of state.queues) {
      this.#queue(queue).culprit = undefined
      this.#queue(queue).place = onLane(lane)
    }
  }

  #join(queue: string): void {
    this.#leave(queue)
    this.#put(queue, sharedLane)
  }

  #trials(): number {
    return [...this.#lanes.values()].filter(({ isTrial }) => isTrial).length
  }

  #calmAt(state: LaneState): number {
    return Math.max((state.upSince ?? 0) + state.calmMs, this.#lastLoss + calmMs)
  }

  #open(calm: number, brief: number): Lane {
    this.#lastLane += 1
    this.#lanes.set(this.#lastLane, { ...newLane([], calm), brief })
    return this.#lastLane
  }

  #put(queue: string, lane: Lane, oneByOne = false): void {
    this.#lane(lane).queues.add(queue)
    this.#queue(queue).place = { lane, oneByOne }
  }

  /** Takes a queue from its lane, which goes with the last one. */
  #leave(queue: string): void {
    const place = this.#queues.get(queue)?.place
    if (place === undefined || !('lane' in place)) return
    const { queues } = this.#lane(place.lane)
    queues.delete(queue)
    if (queues.size === 0 && place.lane !== sharedLane) this.#lanes.delete(place.lane)
  }

  #lane(lane: Lane): LaneState {
    return this.#lanes.get(lane) as LaneState
  }

  #queue(queue: string): Queue {
    return this.#queues.get(queue) as Queue
  }
}

const onLane = (lane: Lane): Place => ({ lane, oneByOne: false })

const newLane = (queues: readonly string[], calm: number): LaneState => ({
  ...{ queues: new Set(queues), calmMs: calm, isTrial: false },
  ...{ upSince: undefined, brief: 0 },
})
