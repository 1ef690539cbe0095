import type { Job } from '../../api/job.ts'
import { toOf } from '../../api/kinds/replay.ts'
import { outcomeText } from '../../delivery/attempt/outcome.ts'
import { createSender, type Sender } from '../../http/send.ts'
import type { Held } from '../../rabbit/amqp/holding/hold.ts'
import type { PublishError } from '../../rabbit/amqp/publish-error.ts'
import { type Endpoint, readEndpoint } from '../../rabbit/endpoint.ts'
import { readSecret } from '../../store/read-secret.ts'
import { credentialsOf } from '../workers/credentials.ts'
import { refuseBlocked } from '../workers/running-workers.ts'
import { endingAfter, inOneChain } from './ending.ts'
import type { LettersOptions } from './options.ts'
import { pass, waitForTurnMs } from './pass.ts'
import { type NotReady, type Places, placesFor } from './places.ts'
import { cameBack, counted, isCanaryDue, looked, type Progress, type Seen, triedBy } from './progress.ts'
import type { Report } from './report.ts'
import { storing } from './store-copies.ts'
import { isUnchanged } from './unchanged.ts'
import { current } from './unfinished.ts'
import { ending, progressing, stopped, waiting } from './verdicts.ts'
import { type Done, type Taken, wayOf } from './ways.ts'

export type AdvanceOptions = LettersOptions & { readonly report: Report }

const lookAgainMs = 5_000
const reportEveryMs = 2_000

/**
 * Brings a job one pass further, and writes onto it how far it is. Resolves to when to go on, in ms; `undefined` where it has
 * ended, or nothing can be done before a resource changes.
 *
 * @throws {EndedError, OpenError, RefusedError, EndpointError, SecretError, TargetError}
 */
export const advance = async (
  job: Job,
  progress: Progress,
  options: AdvanceOptions,
  signal: AbortSignal,
): Promise<number | undefined> => {
  const { store, report, fence, lookup } = options
  const places = placesFor(job, store)
  if ('message' in places) return notReady(job, progress, places, report)
  const waitMs = waitsMs(job, progress)
  if (waitMs > 0) return waitMs
  // Fixed, and written where all can see it, before anything is done.
  const cutoff = Date.parse(job.status?.cutoff ?? new Date().toISOString())
  fence()
  await report(job, progressing(job, progress), { cutoff, progress })
  const endpoint = await readEndpoint(places.source.broker, (...named) => readSecret(store, ...named), lookup)
  const parts = { ...options, ...places, endpoint, cutoff, progress }
  const seen = await onePass(job, parts, signal)
  signal.throwIfAborted()
  const now = current(store, job)
  if (now === undefined) return undefined
  // What was in hand may be back in its queue.
  if (!progress.hasLooked) return 0
  const hasEnded = ending(now, progress, seen) !== undefined
  if (hasEnded && progress.isUnsure) {
    Object.assign(progress, { hasLooked: false, isConfirming: true })
    return 0
  }
  if (hasEnded && mayComeBack(now, progress)) await countBack(now, parts, signal)
  const ended = ending(now, progress, seen)
  await report(job, ended ?? progressing(now, progress), { cutoff, progress, ...(ended ? { hasEnded: true } : {}) })
  return ended || now.spec.suspend ? undefined : waitsMs(now, progress)
}

/** Waits, or ends where a job that has begun has nowhere to put what it takes any more. */
const notReady = async (
  job: Job,
  progress: Progress,
  { reason, message, isTargetGone }: NotReady,
  report: Report,
): Promise<number | undefined> => {
  if (isTargetGone && progress.matched !== undefined) {
    progress.stop ??= { reason: 'TargetGone', message }
    await report(job, stopped(job, progress, progress.stop), { progress, hasEnded: true })
    return undefined
  }
  await report(job, waiting(reason, message))
  return lookAgainMs
}

/** An exchange takes what no queue is bound for too: it is parked again, with the mark of the job. */
const mayComeBack = (job: Job, progress: Progress): boolean =>
  job.kind === 'Replay' && toOf(job.spec) === 'Topic' && triedBy(progress) > 0

const countBack = async (job: Job, options: OnePass, signal: AbortSignal): Promise<void> => {
  const looked = async (seen: Seen): Promise<boolean> => {
    if (seen.isComplete) cameBack(options.progress, seen)
    return false
  }
  const nothing = { job: () => undefined, handle: async () => false, drop: signal }
  await pass(job, { ...options, ...nothing, looked }, signal)
}

/** How long until there is something to do: the canary settles, or the rate allows nothing before. In ms. */
const waitsMs = (job: Job, progress: Progress): number => {
  const settlesMs = isCanaryDue(progress, job) ? 0 : progress.settledAt - performance.now()
  return Math.max(0, settlesMs, waitForTurnMs(job, progress))
}

type OnePass = AdvanceOptions &
  Places & { readonly endpoint: Endpoint; readonly cutoff: number; readonly progress: Progress }

const onePass = async (job: Job, options: OnePass, signal: AbortSignal): Promise<Seen> => {
  const { store, progress, report, cutoff, drainTimeoutMs } = options
  const sender = await senderFor(job, options)
  const way = wayOf(job, { ...options, sender })
  const ending = endingAfter(signal, drainTimeoutMs, () => void sender?.abandon())
  const reports = inOneChain()
  const blocked = (message: string): void =>
    reports.add(() => report(job, waiting('CopyNotConfirmed', message), { cutoff, progress }))
  /** The job while it is wanted, and goes to where it began. */
  const now = (): Job | undefined =>
    isUnchanged(store, options.source.route?.subscription) ? wanted(current(store, job)) : undefined
  const copies = storing({ ...options, isWanted: () => now() !== undefined }, blocked, ending.drop)
  let seen: Seen = { matching: 0, marked: 0, others: 0, untimed: 0, isComplete: true }
  let reportedAt = performance.now()

  const reportNow = (): Promise<void> => {
    reportedAt = performance.now()
    return report(job, progressing(job, progress), { cutoff, progress })
  }

  const handle = async (taken: Taken, held: Held): Promise<boolean> => {
    const done = await way(taken)
    if (done === undefined) return false
    const isFinal = done.isPut ? stopsAt(progress) : undefined
    if (done.copy && !(await copies.store(held, done.copy, isFinal))) return false
    const failure = failureOf(done)
    counted(progress, job, failure)
    if (sender && !failure && options.source.route) options.succeeded(options.source.route.subscription)
    options.metrics.jobMessages.inc({ kind: job.kind, result: failure ? 'failed' : 'delivered' })
    if (performance.now() - reportedAt > reportEveryMs) reports.add(reportNow)
    return true
  }

  try {
    const parts = {
      job: now,
      async looked(found: Seen) {
        seen = found
        looked(progress, job, found)
        await reportNow()
        return !job.spec.dryRun
      },
    }
    await pass(job, { ...options, ...parts, handle, drop: ending.drop }, signal)
  } finally {
    await Promise.all([copies.close(), sender?.abandon(), reports.done()])
    ending.clear()
  }
  return seen
}

const wanted = (job: Job | undefined): Job | undefined => (job?.spec.suspend ? undefined : job)

const failureOf = ({ outcome }: NonNullable<Done>) =>
  outcome && {
    at: Date.now(),
    statusCode: outcome.kind === 'answered' ? outcome.status : undefined,
    message: outcomeText(outcome),
  }

/**
 * What cannot be put anywhere stays where it is, and the job ends: a queue that is gone may be gone for good, and one that has
 * no room needs somebody who empties it. A queue that is being deleted refuses too, for a moment.
 */
const stopsAt = (progress: Progress): ((error: PublishError) => boolean) => {
  let refusals = 0
  return ({ kind, message }) => {
    if (kind === 'refused') refusals += 1
    const isGone = kind === 'returned' || kind === 'missing-exchange'
    if (!isGone && refusals < mostRefusals) return false
    progress.stop ??= { reason: isGone ? 'TargetGone' : 'TargetFull', message: `It could not be put there: ${message}` }
    progress.lastFailure = { at: Date.now(), statusCode: undefined, message }
    return true
  }
}

const mostRefusals = 3

/** @throws TargetError, SecretError */
const senderFor = async (job: Job, { source, destination, store, guard }: OnePass): Promise<Sender | undefined> => {
  const { route } = source
  if (job.kind !== 'Replay' || destination || route === undefined || toOf(job.spec) !== 'Subscriber') return undefined
  refuseBlocked(guard, route)
  const credentials = await credentialsOf(route.subscription, store)
  const { timeoutMs } = route.terms
  return createSender(route.target, { timeoutMs, concurrency: job.spec.concurrency, guard, credentials })
}
