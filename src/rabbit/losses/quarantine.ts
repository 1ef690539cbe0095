import { briefLives, isPattern, isTelling, type Life, type Loss } from './evidence.ts'

/** A connection to consume on, by number. */
export type Link = number

/** The link of every queue that nobody suspects. It is always there. */
export const sharedLink: Link = 0

/** Where a queue is consumed: on a link, or nowhere for now. */
export type Place = { readonly link: Link; readonly oneByOne: boolean } | { readonly waitsUntil: number }

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
type LinkState = {
  readonly queues: Set<string>
  /** How long it must have been up before its queues join the shared link. */
  calmMs: number
  isTrial: boolean
  upSince: number | undefined
  brief: number
}

const parts = 8
const mostLinks = 64
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
 * It holds no connection and knows no clock: the caller tells it what happened, and then does what `links` and `placeOf` say.
 */
export class Quarantine {
  readonly #queues = new Map<string, Queue>()
  readonly #links = new Map<Link, LinkState>([[sharedLink, newLink([], calmMs)]])
  #lastLink = sharedLink
  #lastLoss = Number.NEGATIVE_INFINITY

  /** A queue has its first consumer. */
  add(queue: string): void {
    if (this.#queues.has(queue)) return
    this.#queues.set(queue, { place: onLink(sharedLink) })
    this.#link(sharedLink).queues.add(queue)
  }

  /** A queue has no consumer any more. */
  remove(queue: string): void {
    this.#leave(queue)
    this.#queues.delete(queue)
  }

  /** The links that are to be open. */
  get links(): ReadonlySet<Link> {
    return new Set(this.#links.keys())
  }

  placeOf(queue: string): Place {
    return this.#queues.get(queue)?.place ?? onLink(sharedLink)
  }

  /** What is known against a queue, until it was consumed for a while without a loss. */
  culpritOf(queue: string): Culprit | undefined {
    return this.#queues.get(queue)?.culprit
  }

  opened(link: Link, now: number): void {
    const state = this.#links.get(link)
    if (state) state.upSince = now
  }

  /** A link that was open is lost. `controlSince`: since when the connection that consumes nothing is up, where it is. */
  lost(link: Link, loss: Loss, controlSince: Life['controlSince'], now: number): void {
    const state = this.#links.get(link)
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
    for (const [link, state] of this.#links) {
      if (link === sharedLink || state.upSince === undefined) continue
      if (state.isTrial && now >= state.upSince + releasedAfterMs) this.#release(link, state)
      if (now >= this.#calmAt(state)) for (const queue of state.queues) this.#join(queue)
    }
    for (const [queue, { place }] of this.#queues) {
      if ('waitsUntil' in place && place.waitsUntil <= now && this.#trials() < mostTrials) this.#tryAgain(queue)
    }
  }

  /** When `tick` has something to do next, as far as is known now. */
  get nextAt(): number | undefined {
    let next = Number.POSITIVE_INFINITY
    for (const [link, state] of this.#links) {
      if (link === sharedLink || state.upSince === undefined) continue
      next = Math.min(next, state.isTrial ? state.upSince + releasedAfterMs : this.#calmAt(state))
    }
    if (this.#trials() < mostTrials)
      for (const { place } of this.#queues.values()) if ('waitsUntil' in place) next = Math.min(next, place.waitsUntil)
    return next === Number.POSITIVE_INFINITY ? undefined : next
  }

  #split(queues: readonly string[], brief: number): void {
    if (queues.length === 0) return
    const count = Math.min(parts, queues.length, Math.max(2, mostLinks - this.#links.size))
    const links = Array.from({ length: count }, () => this.#open(calmMs, brief))
    for (const [index, queue] of queues.entries()) this.#put(queue, links[index % count] as Link)
  }

  #setApart(queue: string, cause: string, now: number): void {
    const before = this.#queue(queue).culprit
    const strikes = (before?.strikes ?? 0) + 1
    const againAt = now + Math.min(firstWaitMs * 2 ** (strikes - 1), longestWaitMs)
    const culprit = { since: before?.since ?? now, cause, againAt, strikes }
    this.#queues.set(queue, { culprit, place: { waitsUntil: againAt } })
  }

  #tryAgain(queue: string): void {
    const link = this.#open(longCalmMs, 0)
    this.#link(link).isTrial = true
    this.#put(queue, link, true)
  }

  #release(link: Link, state: LinkState): void {
    state.isTrial = false
    for (const queue of state.queues) {
      this.#queue(queue).culprit = undefined
      this.#queue(queue).place = onLink(link)
    }
  }

  #join(queue: string): void {
    this.#leave(queue)
    this.#put(queue, sharedLink)
  }

  #trials(): number {
    return [...this.#links.values()].filter(({ isTrial }) => isTrial).length
  }

  #calmAt(state: LinkState): number {
    return Math.max((state.upSince ?? 0) + state.calmMs, this.#lastLoss + calmMs)
  }

  #open(calm: number, brief: number): Link {
    this.#lastLink += 1
    this.#links.set(this.#lastLink, { ...newLink([], calm), brief })
    return this.#lastLink
  }

  #put(queue: string, link: Link, oneByOne = false): void {
    this.#link(link).queues.add(queue)
    this.#queue(queue).place = { link, oneByOne }
  }

  /** Takes a queue from its link, which goes with the last one. */
  #leave(queue: string): void {
    const place = this.#queues.get(queue)?.place
    if (place === undefined || !('link' in place)) return
    const { queues } = this.#link(place.link)
    queues.delete(queue)
    if (queues.size === 0 && place.link !== sharedLink) this.#links.delete(place.link)
  }

  #link(link: Link): LinkState {
    return this.#links.get(link) as LinkState
  }

  #queue(queue: string): Queue {
    return this.#queues.get(queue) as Queue
  }
}

const onLink = (link: Link): Place => ({ link, oneByOne: false })

const newLink = (queues: readonly string[], calm: number): LinkState => ({
  ...{ queues: new Set(queues), calmMs: calm, isTrial: false },
  ...{ upSince: undefined, brief: 0 },
})
