import { isOfBroker } from '../../rabbit/amqp/open-connection.ts'
import { EndpointError } from '../../rabbit/endpoint-error.ts'
import type { Again, Controller } from '../../reconcile/controller.ts'
import { statusWriter } from '../../reconcile/status-writer.ts'
import { SecretError } from '../../store/secret-error.ts'
import { TargetError } from '../workers/credentials.ts'
import { advance } from './advance.ts'
import type { JobsOptions } from './options.ts'
import { type Progress, progressOf } from './progress.ts'
import { reportOn } from './report.ts'
import { current, isFinished, type Job, unfinishedJobs } from './unfinished.ts'
import { suspended, waiting } from './verdicts.ts'

/** Does the Replays and Discards: for each Subscription one after the other, the oldest first. */
export const jobsController = (options: JobsOptions): Controller => {
  const { store, metrics } = options
  const writer = statusWriter(store, metrics, 'waybill-dispatcher', () => new Date())
  const report = reportOn(store, writer, Date.now)
  const progresses = new Map<string, Progress>()

  const goOn = async (job: Job, signal: AbortSignal): Promise<Again | undefined> => {
    const { uid } = job.metadata
    const progress = progresses.get(uid) ?? progressOf(job)
    progresses.set(uid, progress)
    try {
      const againMs = await advance(job, progress, { ...options, report }, signal)
      const now = current(store, job)
      if (now === undefined || isFinished(now)) progresses.delete(uid)
      return againMs === undefined ? undefined : { againMs }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof TargetError) await report(job, waiting('SubscriptionNotDelivering', error.message))
      else if (isExpected(error)) await report(job, waiting('BrokerUnreachable', error.message))
      throw error
    }
  }

  return {
    name: 'jobs',
    keys: () => new Set(unfinishedJobs(store).keys()),
    watch(wake) {
      const wakeAll = (): void => {
        for (const key of unfinishedJobs(store).keys()) wake(key)
      }
      wakeAll()
      // A job may wait for any of them.
      return store.onChange(wakeAll)
    },
    async reconcile(key, signal) {
      const jobs = unfinishedJobs(store).get(key) ?? []
      const [first, ...others] = jobs.filter(({ spec }) => !spec.suspend)
      for (const job of jobs) if (job.spec.suspend) await report(job, suspended())
      for (const other of others) await report(other, waitsFor(first as Job))
      return first && goOn(first, signal)
    },
    isExpected,
  }
}

const waitsFor = ({ kind, metadata }: Job) =>
  waiting('AnotherJobRunning', `${kind} ${metadata.name} is older, and is done first`)

const isExpected = (error: unknown): error is Error =>
  isOfBroker(error) || error instanceof TargetError || error instanceof EndpointError || error instanceof SecretError
