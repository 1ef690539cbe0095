import type { DeadLetterPolicy } from '../../api/kinds/dead-letter-policy.ts'
import { outcomeText } from '../../delivery/attempt/outcome.ts'
import { createSender, type Sender } from '../../http/send.ts'
import type { Held } from '../../rabbit/amqp/holding/hold.ts'
import { type Endpoint, readEndpoint } from '../../rabbit/endpoint.ts'
import { readSecret } from '../../store/read-secret.ts'
import type { Route } from '../pipeline/route.ts'
import { credentialsOf } from '../workers/credentials.ts'
import { refuseBlocked } from '../workers/running-workers.ts'
import { endingAfter, inOneChain } from './ending.ts'
import type { LettersOptions } from './options.ts'
import { pass, waitForTurnMs } from './pass.ts'
import { counted, isCanaryDue, looked, type Progress, type Seen } from './progress.ts'
import type { Report } from './report.ts'
import { routeFor } from './route-for.ts'
import { storing } from './store-copies.ts'
import { isUnchanged } from './unchanged.ts'
import { current, type Job } from './unfinished.ts'
import { ending, progressing, waiting } from './verdicts.ts'
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
  const found = routeFor(job, store)
  if ('message' in found) {
    await report(job, waiting('SubscriptionNotDelivering', found.message))
    return lookAgainMs
  }
  const waitMs = waitsMs(job, progress)
  if (waitMs > 0) return waitMs
  // Fixed, and written where all can see it, before anything is done.
  const cutoff = Date.parse(job.status?.cutoff ?? new Date().toISOString())
  fence()
  await report(job, progressing(progress), { cutoff, progress })
  const endpoint = await readEndpoint(found.broker, (...named) => readSecret(store, ...named), lookup)
  const seen = await onePass(job, { ...options, ...found, endpoint, cutoff, progress }, signal)
  signal.throwIfAborted()
  const now = current(store, job)
  if (now === undefined) return undefined
  // What was in hand may be back in its queue.
  if (!progress.hasLooked) return 0
  const ended = ending(now, progress, seen)
  if (ended && progress.isUnsure) {
    Object.assign(progress, { hasLooked: false, isConfirming: true })
    return 0
  }
  await report(job, ended ?? progressing(progress), { cutoff, progress, ...(ended ? { hasEnded: true } : {}) })
  return ended || now.spec.suspend ? undefined : waitsMs(now, progress)
}

/** How long until there is something to do: the canary settles, or the rate allows nothing before. In ms. */
const waitsMs = (job: Job, progress: Progress): number => {
  const settlesMs = isCanaryDue(progress, job) ? 0 : progress.settledAt - performance.now()
  return Math.max(0, settlesMs, waitForTurnMs(job, progress))
}

type OnePass = AdvanceOptions & {
  readonly endpoint: Endpoint
  readonly route: Route
  readonly policy: DeadLetterPolicy | undefined
  readonly cutoff: number
  readonly progress: Progress
}

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
    isUnchanged(store, options.route.subscription) ? wanted(current(store, job)) : undefined
  const copies = storing({ ...options, isWanted: () => now() !== undefined }, blocked, ending.drop)
  let seen: Seen = { matching: 0, marked: 0, others: 0, isComplete: true }
  let reportedAt = performance.now()

  const reportNow = (): Promise<void> => {
    reportedAt = performance.now()
    return report(job, progressing(progress), { cutoff, progress })
  }

  const handle = async (taken: Taken, held: Held): Promise<boolean> => {
    const done = await way(taken)
    if (done === undefined || (done.copy && !(await copies.store(held, done.copy)))) return false
    const failure = failureOf(done)
    counted(progress, job, failure)
    if (sender && !failure) options.succeeded(options.route.subscription)
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

/** @throws TargetError, SecretError */
const senderFor = async (job: Job, { route, store, guard }: OnePass): Promise<Sender | undefined> => {
  if (job.kind !== 'Replay' || job.spec.to !== 'Subscriber') return undefined
  refuseBlocked(guard, route)
  const credentials = await credentialsOf(route.subscription, store)
  const { timeoutMs } = route.terms
  return createSender(route.target, { timeoutMs, concurrency: job.spec.concurrency, guard, credentials })
}
