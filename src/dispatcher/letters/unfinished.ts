import { hasEnded, type Job, sourceOf } from '../../api/job.ts'
import { discard } from '../../api/kinds/discard.ts'
import { replay } from '../../api/kinds/replay.ts'
import { idFrom, isDeleting } from '../../api/resource.ts'
import type { Store } from '../../store/store.ts'

/** All jobs, in no particular order. */
export const listJobs = (store: Pick<Store, 'list'>): Job[] => [...store.list(replay), ...store.list(discard)]

/** The id of what a job takes messages from. Each has a queue of its own for them. */
export const sourceIdOf = (job: Job): string => {
  const { kind, name } = sourceOf(job)
  return idFrom(kind, job.metadata.namespace, name)
}

/** The jobs that are not finished by where they take from, the oldest first: they take turns. */
export const unfinishedJobs = (store: Pick<Store, 'list'>): ReadonlyMap<string, readonly Job[]> =>
  Map.groupBy(
    listJobs(store)
      .filter((job) => !hasEnded(job) && !isDeleting(job))
      .sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1)),
    sourceIdOf,
  )

/** One that was begun goes on, also where another was made in the same second. */
const ageOf = ({ kind, metadata, status }: Job): string =>
  `${status?.startTime ? 0 : 1} ${metadata.creationTimestamp} ${kind} ${metadata.name}`

/** The job as it is now; `undefined` once it is gone, or another one has its name. */
export const current = (store: Pick<Store, 'get'>, { kind, metadata }: Job): Job | undefined => {
  const { namespace, name, uid } = metadata
  const found = kind === 'Replay' ? store.get(replay, namespace, name) : store.get(discard, namespace, name)
  return found?.metadata.uid === uid && !isDeleting(found) ? found : undefined
}
