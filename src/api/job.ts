import type { Condition } from './conditions.ts'
import type { Discard } from './kinds/discard.ts'
import type { Replay } from './kinds/replay.ts'

/** Something to do once with messages that are kept. */
export type Job = Replay | Discard

/** The condition that says how a job has ended; `undefined` while it has not. */
export const endOf = ({ status }: Pick<Job, 'status'>): Condition | undefined =>
  status?.conditions?.find(({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'))

export const hasEnded = (job: Pick<Job, 'status'>): boolean => endOf(job) !== undefined

/** What a job takes messages from, in its own namespace. */
export type JobSource = { readonly kind: 'Subscription' | 'Queue' | 'Topic' | 'Broker'; readonly name: string }

export const sourceOf = ({ spec }: Pick<Job, 'spec'>): JobSource => {
  const { subscriptionRef, queueRef, topicRef, orphans } = spec
  if (subscriptionRef) return { kind: 'Subscription', name: subscriptionRef.name }
  if (queueRef) return { kind: 'Queue', name: queueRef.name }
  if (topicRef) return { kind: 'Topic', name: topicRef.name }
  return { kind: 'Broker', name: orphans?.brokerRef.name ?? '' }
}
