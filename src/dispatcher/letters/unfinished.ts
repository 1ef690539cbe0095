import { isTrue } from '../../api/conditions.ts'
import { type Discard, discard } from '../../api/kinds/discard.ts'
import { type Replay, replay } from '../../api/kinds/replay.ts'
import { idFrom, isDeleting } from '../../api/resource.ts'
import type { Store } from '../../store/store.ts'

/** Something to do once with messages that are kept. */
export type Job = Replay | Discard

/** The id of what a job takes messages from. Each has a queue of its own for them. */
export const sourceOf = ({ metadata: { namespace }, spec }: Job): string => {
  const { subscriptionRef, queueRef, topicRef, orphans } = spec
  if (subscriptionRef) return idFrom('Subscription', namespace, subscriptionRef.name)
  if (queueRef) return idFrom('Queue', namespace, queueRef.name)
  if (topicRef) return idFrom('Topic', namespace, topicRef.name)
  return idFrom('Broker', namespace, orphans?.brokerRef.name ?? '')
}

export const isFinished = ({ status }: Job): boolean =>
  isTrue(status?.conditions, 'Complete') || isTrue(status?.conditions, 'Failed')

/** The jobs that are not finished by where they take from, the oldest first: they take turns. */
export const unfinishedJobs = (store: Pick<Store, 'list'>): ReadonlyMap<string, readonly Job[]> =>
  Map.groupBy(
    [...store.list(replay), ...store.list(discard)]
      .filter((job) => !isFinished(job) && !isDeleting(job))
      .sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1)),
    sourceOf,
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
