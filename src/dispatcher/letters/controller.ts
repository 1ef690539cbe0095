import { hasEnded, type Job } from '../../api/job.ts'
import { isOfBroker } from '../../rabbit/amqp/open-connection.ts'
import { EndpointError } from '../../rabbit/endpoint-error.ts'
import type { Again, Controller } from '../../reconcile/controller.ts'
import { statusWriter } from '../../reconcile/status-writer.ts'
import { SecretError } from '../../store/secret-error.ts'
import { TargetError } from '../workers/credentials.ts'
import { advance } from './advance.ts'
import { createLooks } from './groups/looks.ts'
import type { LettersOptions } from './options.ts'
import { type Progress, progressOf } from './progress.ts'
import { QueueInUseError } from './queue-in-use.ts'
import { reportOn } from './report.ts'
import { current, sourceIdOf, unfinishedJobs } from './unfinished.ts'
import { suspended, waiting } from './verdicts.ts'

/**
 * What is done with the dead letters of each Subscription, one thing at a time: its Replays and Discards, the oldest first;
 * and a look at them all, whenever there are others than before, that writes their groups.
 */
export const deadLettersController = (options: LettersOptions): Controller => {
  const { store, metrics } = options
  const writer = statusWriter(store, metrics, 'waybill-dispatcher', () => new Date())
  const report = reportOn(store, writer, Date.now)
  const looks = createLooks(options)
  const progresses = new Map<string, Progress>()

  const goOn = async (job: Job, signal: AbortSignal): Promise<Again | undefined> => {
    const { uid } = job.metadata
    const progress = progresses.get(uid) ?? progressOf(job)
    progresses.set(uid, progress)
    try {
      const againMs = await advance(job, progress, { ...options, report }, signal)
      const now = current(store, job)
      if (againMs === undefined) looks.expectChange(sourceIdOf(job))
      if (now === undefined || hasEnded(now)) progresses.delete(uid)
      return againMs === undefined ? undefined : { againMs }
    } catch (error) {
      signal.throwIfAborted()
      if (!isExpected(error)) throw error
      await report(job, waiting(reasonOf(error), error.message))
      throw error
    }
  }

  return {
    name: 'dead-letters',
    keys: () => new Set([...unfinishedJobs(store).keys(), ...looks.keys()]),
    watch(wake) {
      const wakeAll = (): void => {
        for (const key of unfinishedJobs(store).keys()) wake(key)
      }
      wakeAll()
      // A job may wait for any of them.
      const stop = [store.onChange(wakeAll), looks.watch(wake)]
      return () => {
        for (const each of stop) each()
      }
    },
    async reconcile(key, signal) {
      const jobs = unfinishedJobs(store).get(key) ?? []
      const [first, ...others] = jobs.filter(({ spec }) => !spec.suspend)
      for (const job of jobs) if (job.spec.suspend) await report(job, suspended())
      for (const other of others) await report(other, waitsFor(first as Job))
      const again = first && (await goOn(first, signal))
      if (again && again.againMs < 1_000) return again
      // A job that only waits is no reason not to look.
      return sooner(again, await looks.look(key, signal))
    },
    forget: looks.forget,
    isExpected,
  }
}

const sooner = (a: Again | undefined, b: Again | undefined): Again | undefined =>
  a === undefined || (b !== undefined && b.againMs < a.againMs) ? b : a

const waitsFor = ({ kind, metadata }: Job) =>
  waiting('AnotherJobRunning', `${kind} ${metadata.name} is older, and is done first`)

const reasonOf = (error: Error) => {
  if (error instanceof TargetError) return 'SubscriptionNotDelivering'
  return error instanceof QueueInUseError ? 'QueueInUse' : 'BrokerUnreachable'
}

const isExpected = (error: unknown): error is Error =>
  isOfBroker(error) ||
  [QueueInUseError, TargetError, EndpointError, SecretError].some((expected) => error instanceof expected)
