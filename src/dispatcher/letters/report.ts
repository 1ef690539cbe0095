import type { Verdict } from '../../api/conditions.ts'
import type { Job } from '../../api/job.ts'
import { timestamp } from '../../api/timestamp.ts'
import type { StatusWriter } from '../../reconcile/status-writer.ts'
import type { Store } from '../../store/store.ts'
import type { Progress } from './progress.ts'
import { current } from './unfinished.ts'

/** What a report says of a job besides its conditions. */
export type Said = { readonly cutoff?: number; readonly progress?: Progress; readonly hasEnded?: true }

export type Report = ReturnType<typeof reportOn>

/** Writes what is so of a job onto its resource. Times are in ms since 1970. */
export const reportOn = (store: Pick<Store, 'get'>, writer: StatusWriter, now: () => number) => {
  const started = new Map<string, string>()

  return async (job: Job, verdicts: readonly Verdict[], said: Said = {}): Promise<void> => {
    const resource = current(store, job)
    if (resource === undefined) return
    const { status } = resource
    const { cutoff, progress, hasEnded } = said
    const startTime =
      status?.startTime ?? started.get(job.metadata.uid) ?? (cutoff === undefined ? undefined : timestamp(now()))
    if (startTime !== undefined) started.set(job.metadata.uid, startTime)
    const fields = {
      ...kept(status),
      ...(cutoff === undefined ? {} : { cutoff: new Date(cutoff).toISOString() }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(progress?.matched === undefined ? {} : countsOf(progress)),
      ...(hasEnded ? { completionTime: timestamp(now()) } : {}),
    }
    if (hasEnded) started.delete(job.metadata.uid)
    await writer.writeAll([{ resource, fields, verdicts }])
  }
}

/** What a write without it would remove: each write is the whole status. */
const kept = (status: Job['status']) => {
  const { conditions: _conditions, observedGeneration: _generation, ...fields } = status ?? {}
  return fields
}

const countsOf = ({ matched, delivered, failed, left, passed, lastFailure }: Progress) => ({
  ...{ matched, delivered, failed, left: Math.max(0, left), passed },
  ...(lastFailure === undefined
    ? {}
    : {
        lastFailure: {
          time: timestamp(lastFailure.at),
          ...(lastFailure.statusCode === undefined ? {} : { statusCode: lastFailure.statusCode }),
          message: lastFailure.message.slice(0, 256).toWellFormed(),
        },
      }),
})
