import { milliseconds } from '../../api/duration.ts'
import { hasEnded, type Job } from '../../api/job.ts'
import { jobKinds, kindOf } from '../../api/kinds/kinds.ts'
import { isDeleting } from '../../api/resource.ts'
import type { Controller } from '../../reconcile/controller.ts'
import type { Store } from '../../store/store.ts'
import { listJobs } from './unfinished.ts'

/** Those that have ended are looked at together, under one key. */
const everything = 'everything'
const keys: ReadonlySet<string> = new Set([everything])

/** Deletes Replays and Discards that have ended, as long after that as their ttlAfterFinished says. */
export const finishedController = (
  store: Pick<Store, 'list' | 'onChange' | 'remove'>,
  now: () => number,
): Controller => ({
  name: 'finished-jobs',
  keys: () => keys,
  watch(wake) {
    wake(everything)
    return store.onChange(({ kind }) => {
      if (jobKinds.some((each) => each.kind === kind)) wake(everything)
    })
  },
  async reconcile() {
    const at = now()
    const leaving = listJobs(store).flatMap((job) => {
      const goesAt = endOfStay(job)
      return goesAt === undefined ? [] : [{ job, inMs: goesAt - at }]
    })
    for (const { job, inMs } of leaving) if (inMs <= 0) await store.remove(kindOf(job), job)
    const later = leaving.filter(({ inMs }) => inMs > 0).map(({ inMs }) => inMs)
    return later.length === 0 ? undefined : { againMs: Math.min(longestMs, ...later) }
  },
})

/** A timer takes no more than 24 days. */
const longestMs = 86_400_000

/** When a job is to go, in ms since 1970. */
const endOfStay = (job: Job): number | undefined => {
  const { ttlAfterFinished } = job.spec
  const { completionTime } = job.status ?? {}
  if (ttlAfterFinished === undefined || completionTime === undefined || !hasEnded(job) || isDeleting(job))
    return undefined
  return Date.parse(completionTime) + milliseconds(ttlAfterFinished)
}
