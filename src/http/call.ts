import type { Dispatcher } from 'undici'
import type { Deadline, Deadlines } from '../async/deadlines.ts'
import { momentsOf } from '../async/effects.ts'
import type { Outcome } from '../delivery/attempt/outcome.ts'
import { retryAfterMs } from '../delivery/attempt/retry-after.ts'
import { outcomeOf } from './failure.ts'
import { ProblemReader } from './problem.ts'

/** Only the status of an answer matters; a subscriber that sends a longer body loses its connection. */
const maxAnswerBytes = 64 * 1024

const answerRead = momentsOf('answer-read')

const cutShort = new Error('The attempt is over')

/**
 * One request on its way and its answer: the handler that undici calls, the entry in the list of deadlines, and what the
 * interceptors share, all in one object, because there is one for each message.
 */
export class Call implements Deadline, Dispatcher.DispatchHandler {
  expiresAt = 0
  previous: Deadline | undefined = undefined
  next: Deadline | undefined = undefined
  /** Resolves once, to the first outcome there is. Never rejects. */
  readonly outcome: Promise<Outcome>
  #resolve!: (outcome: Outcome) => void
  #deadlines: Deadlines | undefined = undefined
  #tooLate: Outcome | undefined = undefined
  #ended: ((outcome: Outcome) => void) | undefined = undefined
  #controller: Dispatcher.DispatchController | undefined = undefined
  #isOver = false
  #status = 0
  #retryAfter: unknown = undefined
  #bytes = 0
  readonly #readsProblems: boolean
  #problem: ProblemReader | undefined = undefined

  constructor(readsProblems = false) {
    this.#readsProblems = readsProblems
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Whether there is an outcome. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Ends it with the outcome `tooLate` when its time is over. */
  startDeadline(deadlines: Deadlines, tooLate: Outcome): void {
    this.#deadlines = deadlines
    this.#tooLate = tooLate
    deadlines.add(this)
  }

  /** Calls `ended` with the outcome, before {@link outcome} resolves. */
  onEnd(ended: (outcome: Outcome) => void): void {
    this.#ended = ended
  }

  /** Ends it, unless it has ended. */
  end(outcome: Outcome): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#deadlines?.remove(this)
    this.#ended?.(outcome)
    this.#resolve(outcome)
    if (this.#status !== 0) answerRead.after.publish(undefined)
  }

  expire(): void {
    this.end(this.#status === 0 && this.#tooLate ? this.#tooLate : this.#answer())
    this.#controller?.abort(cutShort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Its time ran out while it waited for a connection. Throwing keeps the connection, aborting would drop it.
    if (this.#isOver) throw cutShort
    this.#controller = controller
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Record<string, unknown>): void {
    if (status < 200) return
    answerRead.before.publish(undefined)
    this.#status = status
    this.#retryAfter = headers['retry-after']
    if (this.#readsProblems && status >= 300) this.#problem = ProblemReader.for(headers['content-type'])
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#problem?.take(chunk)
    if (this.#bytes <= maxAnswerBytes) return
    this.end(this.#answer())
    controller.abort(cutShort)
  }

  onResponseEnd(): void {
    this.end(this.#answer())
  }

  onResponseError(_: unknown, error: Error): void {
    this.end(this.#status === 0 ? outcomeOf(error) : this.#answer())
  }

  /** The status decides, even if the rest of the answer never arrives. */
  #answer(): Outcome {
    const status = this.#status
    if (status < 300) return { kind: 'delivered', status }
    const waitMs = this.#retryAfter === undefined ? undefined : retryAfterMs(this.#retryAfter, Date.now())
    const problem = this.#problem?.type()
    return {
      kind: 'answered',
      status,
      ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
      ...(problem === undefined ? {} : { problem }),
    }
  }
}
