import { milliseconds } from '../../api/duration.ts'
import type { Job } from '../../api/job.ts'
import { type Stop, stopAfter } from '../../delivery/letters/verdicts.ts'

/** What a look at the dead-letter queue found. */
export type Seen = {
  /** What matches and is still to be taken. */
  readonly matching: number
  /** What this job has tried without success; a letter of which a crash left two copies counts once. */
  readonly marked: number
  readonly others: number
  /** How many of those that match do not say since when they are there. */
  readonly untimed: number
  /** Whether that is the whole queue. */
  readonly isComplete: boolean
}

/** An attempt that failed. `at` is in ms since 1970. */
export type LastFailure = { readonly at: number; readonly statusCode: number | undefined; readonly message: string }

/** How far a job is, as far as this process knows. */
export type Progress = {
  /** What matched when it began; `undefined` before the first look. */
  matched: number | undefined
  delivered: number
  failed: number
  /** Of what matches, what the queue still holds. */
  left: number
  passed: number
  /** How the latest attempts ended, the newest last. */
  results: boolean[]
  lastFailure: LastFailure | undefined
  /** Why it stops before its end. */
  stop: Stop | undefined
  /** On the clock of `performance.now()`: when it began here, when the latest message was taken, when the canary has settled. */
  begunAt: number | undefined
  nextAt: number
  settledAt: number
  /** Whether the counts follow from a look at the queue, since this process began or lost what it held. */
  hasLooked: boolean
  /** Something may have been done twice: the counts are to be reckoned once more when all is done. */
  isUnsure: boolean
  /** The next look is the one for that. */
  isConfirming: boolean
}

/** Where a job is as far as its status says. */
export const progressOf = ({ status }: Job): Progress => ({
  matched: status?.matched,
  delivered: status?.delivered ?? 0,
  failed: status?.failed ?? 0,
  left: status?.left ?? 0,
  passed: status?.passed ?? 0,
  results: [],
  lastFailure: undefined,
  stop: undefined,
  ...{
    begunAt: undefined,
    nextAt: Number.NEGATIVE_INFINITY,
    settledAt: 0,
    hasLooked: false,
    isUnsure: false,
    isConfirming: false,
  },
})

/**
 * Takes over what a look found. At the first one of this process, what was done after the last status was written follows
 * from what is left in the queue; what somebody else took out of it meanwhile counts as delivered.
 */
export const looked = (progress: Progress, job: Job, seen: Seen): void => {
  const { matching, marked, others, untimed, isComplete } = seen
  if (!progress.hasLooked) {
    progress.isUnsure = progress.matched !== undefined && !progress.isConfirming
    progress.isConfirming = false
    progress.matched ??= matching + marked
    progress.failed = marked
    const delivered = Math.max(0, progress.matched - marked - matching)
    progress.delivered = isComplete ? delivered : Math.max(delivered, progress.delivered)
    progress.stop ??= canaryFailedBefore(progress, job)
  }
  progress.hasLooked = true
  // Where some do not say since when they are there, what came after the first look is as much as there is more than then.
  const due = untimed > 0 && isComplete ? (progress.matched ?? matching) - triedBy(progress) : matching
  progress.left = Math.max(0, Math.min(matching, due))
  progress.passed = others + matching - progress.left
}

/** Takes over how many of those that were put somewhere came back at once: `marked` of them. */
export const cameBack = (progress: Progress, { marked }: Seen): void => {
  const tried = triedBy(progress)
  progress.failed = Math.min(marked, tried)
  progress.delivered = tried - progress.failed
  if (progress.failed > 0) progress.lastFailure ??= { at: Date.now(), statusCode: undefined, message: stillUnrouted }
}

const stillUnrouted = 'No queue is bound for its routing key: it is parked again'

/** The canary failed, and the process that saw it could not say so any more. */
const canaryFailedBefore = (progress: Progress, job: Job): Stop | undefined => {
  const most = job.kind === 'Replay' ? (job.spec.canary?.messages ?? 0) : 0
  if (progress.failed === 0 || triedBy(progress) > most) return undefined
  return { reason: 'CanaryFailed', message: `The canary failed: ${progress.failed} of ${most} messages` }
}

/** Counts a message that was taken, and says when that is the end. */
export const counted = (progress: Progress, job: Job, failure: LastFailure | undefined): void => {
  progress.left -= 1
  if (failure) progress.failed += 1
  else progress.delivered += 1
  progress.lastFailure = failure ?? progress.lastFailure
  if (job.kind !== 'Replay') return
  const { canary, abortOn } = job.spec
  progress.results = [...progress.results, failure === undefined].slice(-Math.max(1, abortOn?.window ?? 1))
  progress.stop ??= stopAfter(job.spec, progress.results, triedBy(progress))
  if (canary?.messages === triedBy(progress)) progress.settledAt = performance.now() + milliseconds(canary.settle)
}

export const triedBy = ({ delivered, failed }: Progress): number => delivered + failed

/** Whether the messages of the canary are still to be tried, one after the other. */
export const isCanaryDue = (progress: Progress, job: Job): boolean => canaryLeft(progress, job) > 0

/** How many messages one more pass may take: first those of the canary, then all that the job may. */
export const roomOf = (progress: Progress, job: Job): number =>
  Math.min(
    canaryLeft(progress, job) || Number.POSITIVE_INFINITY,
    Math.max(0, job.spec.maxMessages - triedBy(progress)),
    progress.left,
  )

const canaryLeft = (progress: Progress, job: Job): number =>
  job.kind === 'Replay' ? Math.max(0, (job.spec.canary?.messages ?? 0) - triedBy(progress)) : 0
