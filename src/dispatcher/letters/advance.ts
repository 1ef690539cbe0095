import { outcomeText } from '../../delivery/attempt/outcome.ts'
import type { Copy } from '../../delivery/message/copy.ts'
import { createSender, type Sender } from '../../http/send.ts'
import { connectAmqp } from '../../rabbit/amqp/connect.ts'
import type { Held } from '../../rabbit/amqp/holding/hold.ts'
import type { Amqp } from '../../rabbit/amqp/port.ts'
import { type Endpoint, readEndpoint } from '../../rabbit/endpoint.ts'
import { readSecret } from '../../store/read-secret.ts'
import type { Route } from '../pipeline/route.ts'
import { untilStored } from '../pipeline/until-stored.ts'
import { credentialsOf } from '../workers/credentials.ts'
import { refuseBlocked } from '../workers/running-workers.ts'
import type { LettersOptions } from './options.ts'
import { pass } from './pass.ts'
import { counted, isCanaryDue, looked, type Progress, type Seen } from './progress.ts'
import type { Report } from './report.ts'
import { routeFor } from './route-for.ts'
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
  const settlesIn = settlesInMs(job, progress)
  if (settlesIn > 0) return settlesIn
  // Fixed, and written where all can see it, before anything is done.
  const cutoff = Date.parse(job.status?.cutoff ?? new Date().toISOString())
  fence()
  await report(job, progressing(progress), { cutoff, progress })
  const endpoint = await readEndpoint(found.broker, (...named) => readSecret(store, ...named), lookup)
  const seen = await onePass(job, { ...options, endpoint, route: found.route, cutoff, progress }, signal)
  const now = current(store, job)
  if (now === undefined) return undefined
  const ended = ending(now, progress, seen)
  if (ended && progress.isUnsure) {
    progress.hasLooked = false
    return 0
  }
  await report(job, ended ?? progressing(progress), { cutoff, progress, ...(ended ? { hasEnded: true } : {}) })
  return ended || now.spec.suspend ? undefined : settlesInMs(now, progress)
}

/** How long the canary still settles, in ms. */
const settlesInMs = (job: Job, progress: Progress): number =>
  isCanaryDue(progress, job) ? 0 : Math.max(0, progress.settledAt - performance.now())

type OnePass = AdvanceOptions & {
  readonly endpoint: Endpoint
  readonly route: Route
  readonly cutoff: number
  readonly progress: Progress
}

const onePass = async (job: Job, options: OnePass, signal: AbortSignal): Promise<Seen> => {
  const { store, progress, report, cutoff } = options
  const sender = await senderFor(job, options)
  const way = wayOf(job, options.route, sender)
  const copies = storing(job, options, signal)
  let seen: Seen = { matching: 0, marked: 0, others: 0, isComplete: true }
  let reportedAt = performance.now()

  const reportNow = async (): Promise<void> => {
    reportedAt = performance.now()
    await report(job, progressing(progress), { cutoff, progress })
  }

  const handle = async (taken: Taken, held: Held): Promise<boolean> => {
    const done = await way(taken)
    if (done === undefined || (done.copy && !(await copies.store(held, done.copy)))) return false
    const failure = failureOf(done)
    counted(progress, job, failure)
    options.metrics.jobMessages.inc({ kind: job.kind, result: failure ? 'failed' : 'delivered' })
    if (performance.now() - reportedAt > reportEveryMs) await reportNow()
    return true
  }

  try {
    const parts = {
      job: () => wanted(current(store, job)),
      async looked(found: Seen) {
        seen = found
        looked(progress, found)
        await reportNow()
        return !job.spec.dryRun
      },
    }
    await pass(job, { ...options, ...parts, handle }, signal)
  } finally {
    await Promise.all([copies.close(), sender?.abandon()])
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

/** Stores copies on a connection of its own, opened for the first one. A copy that is not stored soon is said, and awaited. */
const storing = (job: Job, { endpoint, log, report }: OnePass, signal: AbortSignal) => {
  const closing = new AbortController()
  const giveUp = AbortSignal.any([signal, closing.signal, AbortSignal.timeout(giveUpAfterMs)])
  let amqp: Amqp | undefined
  const waits = (_held: Held, { message }: Error): void => {
    void report(job, waiting('CopyNotConfirmed', message)).catch(() => undefined)
  }
  return {
    /** Resolves to whether the broker has confirmed it. */
    async store(held: Held, copy: Copy): Promise<boolean> {
      amqp ??= connectAmqp(endpoint, { name: 'waybill jobs', log }, signal)
      return (await untilStored<Held>({ amqp, waits }, giveUp)(held, copy)) !== undefined
    },
    async close(): Promise<void> {
      closing.abort()
      await amqp?.close()
    },
  }
}

/** Until then the messages are held; the next pass goes on. */
const giveUpAfterMs = 120_000

/** @throws TargetError, SecretError */
const senderFor = async (job: Job, { route, store, guard }: OnePass): Promise<Sender | undefined> => {
  if (job.kind !== 'Replay' || job.spec.to !== 'Subscriber') return undefined
  refuseBlocked(guard, route)
  const credentials = await credentialsOf(route.subscription, store)
  const { timeoutMs } = route.terms
  return createSender(route.target, { timeoutMs, concurrency: job.spec.concurrency, guard, credentials })
}
