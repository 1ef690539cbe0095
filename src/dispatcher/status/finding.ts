import { type Condition, type Verdict, verdict } from '../../api/conditions.ts'
import { type DeliveryStats, deliveringVerdict, deliveryStatus, isUntried } from '../../delivery/stats.ts'
import type { WorkerState } from '../replicas/snapshot.ts'
import type { Idle } from '../workers/routes.ts'

/** The part of a subscription's status that is the dispatcher's. */
export type Finding = {
  readonly verdicts: readonly Verdict[]
  readonly delivery: ReturnType<typeof deliveryStatus>
}

/** The finding that follows from the state of a worker and the counts; `before` is what was last said of this generation. */
export const workerFinding = (
  worker: WorkerState,
  stats: DeliveryStats,
  now: number,
  before?: Pick<Condition, 'reason' | 'message'>,
): Finding => {
  const { blocked, gone, unreadable } = worker
  const verdicts: Verdict[] = [delivering(worker, stats, now, before)]
  if (gone) verdicts.push(verdict('Suspended', 'True', 'Gone', goneMessage))
  if (blocked !== undefined) {
    const message = `Messages stay in their queue because their copies for retry or dead letter are not stored: ${blocked}`
    verdicts.push(verdict('RetryBlocked', 'True', 'CopyNotConfirmed', message))
  }
  if (unreadable !== undefined) verdicts.push(verdict('QueueUnreadable', 'True', 'ConnectionEnded', unreadable))
  return { verdicts, delivery: deliveryStatus(stats) }
}

const goneMessage =
  'The subscriber answered 410 Gone; delivery stops until this resource changes, and messages wait in the queue'

const delivering = (
  { waiting, gone, unreadable, missing }: WorkerState,
  stats: DeliveryStats,
  now: number,
  before: Pick<Condition, 'reason' | 'message'> | undefined,
): Verdict => {
  if (gone) return verdict('Delivering', 'False', 'Gone', goneMessage)
  if (unreadable !== undefined) return verdict('Delivering', 'False', 'QueueUnreadable', unreadable)
  if (waiting) return verdict('Delivering', 'False', waiting.reason, waiting.message)
  if (missing !== undefined) return verdict('Delivering', 'False', 'SubscriberNotFound', missing)
  // A process that was just started has tried nothing yet: what others have seen fail has not begun to work by that.
  if (before?.reason === 'AllAttemptsFailing' && isUntried(stats))
    return verdict('Delivering', 'False', 'AllAttemptsFailing', before.message)
  return deliveringVerdict(stats, now)
}

/** The finding that follows from being idle, with the counts from before. */
export const idleFinding = ({ reason, message }: Idle, stats: DeliveryStats): Finding => ({
  verdicts:
    reason === 'TargetInvalid' || reason === 'NoConsumer'
      ? [verdict('Delivering', 'False', reason, message)]
      : [verdict('Delivering', 'False', reason, message), verdict('Suspended', 'True', reason, message)],
  delivery: deliveryStatus(stats),
})
