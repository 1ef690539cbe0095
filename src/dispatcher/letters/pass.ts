import type { Job } from '../../api/job.ts'
import { toOf } from '../../api/kinds/replay.ts'
import { pause } from '../../async/abort.ts'
import { letterOf } from '../../delivery/letters/letter.ts'
import { gapMs } from '../../delivery/letters/pace.ts'
import type { Message } from '../../delivery/message/message.ts'
import { copyOf } from '../../rabbit/amqp/deliveries/message-of.ts'
import { type Held, hold, mostHeld } from '../../rabbit/amqp/holding/hold.ts'
import type { Endpoint } from '../../rabbit/endpoint.ts'
import type { Source } from './places.ts'
import { isCanaryDue, type Progress, roomOf, type Seen } from './progress.ts'
import { QueueInUseError } from './queue-in-use.ts'
import { queueOf, sorting } from './sort.ts'
import type { Taken } from './ways.ts'

/** Messages are held for so long at most, far below the broker's consumer timeout. Each pass costs a look at the whole queue. */
const longestPassMs = 300_000
/** … and for so long at least where somebody waits for the queue; or for as long as the look took, so that it gets on. */
const shortestPassMs = 3_000
const mostOfPass = 20_000
const mostBytesOfPass = 64 * 1024 * 1024
/** A longer wait for the next message is no reason to hold the others. */
const longestWaitMs = 5_000
/** Of a job that sends nothing. */
const storedAtATime = 50

export type PassOptions = {
  readonly endpoint: Endpoint
  readonly source: Source
  /** What was dead-lettered later is left alone, in ms since 1970. */
  readonly cutoff: number
  readonly progress: Progress
  /** The job as it is now; `undefined` once nothing more is to be taken. */
  job(): Job | undefined
  /** Called before each message is taken; throws when another process leads. */
  fence(): void
  /** Called with what a look found; resolves to whether messages are to be taken. */
  looked(seen: Seen): Promise<boolean>
  /** Ends the connection, some time after the signal. */
  readonly drop: AbortSignal
  /** Does what the job is for, and resolves to whether the message may be removed from its queue. */
  handle(taken: Taken, held: Held): Promise<boolean>
}

type Chosen = Taken & { readonly tag: number }

/**
 * One pass of a job over the dead letters: the whole queue is held, those that are meant are taken, at the rate that the job
 * asks for, and the others are requeued in their order. A pass is short; what is left is for the next one.
 *
 * @throws {QueueInUseError} when what matches cannot be counted
 * @throws {EndedError, OpenError, RefusedError} when the broker cannot be reached or refuses
 */
export const pass = async (job: Job, options: PassOptions, signal: AbortSignal): Promise<void> => {
  const { endpoint, source, progress, drop } = options
  const found = choose(job, options)
  const queue = queueOf(job, source)
  const begun = performance.now()
  const toHold = { queue, name: 'waybill jobs', most: mostHeld, look: found.look }
  const held = await hold(endpoint, toHold, signal, drop)
  try {
    if (!held.isAlone) throw new QueueInUseError(queue)
    const isWanted = await options.looked({ ...found.seen(), isComplete: held.isComplete })
    const now = performance.now()
    const within = { least: now + Math.max(shortestPassMs, now - begun), most: now + longestPassMs }
    if (isWanted) await take(found.chosen.slice(0, roomOf(progress, job)), held, within, options, signal)
    // What was done but not taken out is there again.
    if (held.lost) progress.hasLooked = false
  } catch (error) {
    progress.hasLooked = false
    throw error
  } finally {
    await held.requeueOthers()
  }
}

/** Sorts the messages while they come: of those that match as many are kept as one pass takes. */
const choose = (job: Job, { source, cutoff }: PassOptions) => {
  const sort = sorting(job, source, cutoff)
  const seen = { matching: 0, others: 0, untimed: 0 }
  const marked = new Set<string>()
  const chosen: Chosen[] = []
  let bytes = 0
  return {
    seen: () => ({ ...seen, marked: marked.size }),
    chosen,
    look(message: Message, tag: number): void {
      const letter = letterOf(message, source.of, source.kept)
      const is = sort(letter, message)
      if (is === 'foreign') return
      if (is === 'marked') marked.add(letter.id)
      else seen[is] += 1
      if (is === 'matching' && letter.deadLettered === undefined) seen.untimed += 1
      if (is !== 'matching' || chosen.length >= mostOfPass || bytes >= mostBytesOfPass) return
      bytes += message.content.length + message.properties.raw.length
      const kept = copyOf(message)
      chosen.push({ message: kept, letter: letterOf(kept, source.of, source.kept), tag })
    },
  }
}

const take = async (
  chosen: readonly Chosen[],
  held: Held,
  within: { readonly least: number; readonly most: number },
  options: PassOptions,
  signal: AbortSignal,
): Promise<void> => {
  const { progress, job: current } = options
  const first = current()
  if (first === undefined) return
  const isCanary = isCanaryDue(progress, first)
  let next = 0
  let isBroken = false

  /** Waits for the turn of the next message; `undefined` where no more is to be taken. */
  const turn = async (): Promise<Chosen | undefined> => {
    const job = current()
    if (job === undefined || isBroken || next >= chosen.length) return undefined
    const at = nextTurn(job, progress)
    const until = held.isAwaited ? within.least : within.most
    if (at > until || at - performance.now() > longestWaitMs) return undefined
    progress.nextAt = at
    await pause(Math.max(0, at - performance.now()), signal)
    const mayGoOn = !signal.aborted && !isBroken && !held.lost && progress.stop === undefined && current()
    return mayGoOn ? chosen[next++] : undefined
  }

  const work = async (): Promise<void> => {
    for (let one = await turn(); one; one = await turn()) {
      options.fence()
      if (await options.handle(one, held)) await held.remove(one.tag)
    }
  }

  const takers = isCanary ? 1 : first.kind === 'Replay' ? first.spec.concurrency : storedAtATime
  const ended = await Promise.allSettled(
    Array.from({ length: takers }, () =>
      work().catch((error: unknown) => {
        isBroken = true
        throw error
      }),
    ),
  )
  for (const each of ended) if (each.status === 'rejected') throw each.reason
}

/** How long until a pass is worth while, in ms. */
export const waitForTurnMs = (job: Job, progress: Progress): number => {
  const waitMs = nextTurn(job, progress) - performance.now()
  return waitMs > longestWaitMs ? waitMs : 0
}

/** When the next message may be taken, on the clock of `performance.now()`. */
const nextTurn = (job: Job, progress: Progress): number => {
  const now = performance.now()
  progress.begunAt ??= now
  if (job.kind === 'Discard' || toOf(job.spec) !== 'Subscriber') return now
  return Math.max(now, progress.nextAt + gapMs(job.spec.rate, now - progress.begunAt))
}
