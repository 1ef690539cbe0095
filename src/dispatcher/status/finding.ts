import { type Verdict, verdict } from '../../api/conditions.ts'
import { deliveringVerdict, deliveryStatus, type Tally } from '../../delivery/stats.ts'
import type { Idle } from '../workers/routes.ts'
import type { LaneState } from '../replicas/snapshot.ts'

/** What there is to say of a subscription: the part of its status that is the dispatcher's. */
export type Finding = {
  readonly verdicts: readonly Verdict[]
  readonly delivery: ReturnType<typeof deliveryStatus>
}

/** What a lane's state means for its subscription. */
export const laneFinding = (lane: LaneState, tally: Tally, now: number): Finding => {
  const { blocked, gone } = lane
  const verdicts: Verdict[] = [delivering(lane, tally, now)]
  if (gone) verdicts.push(verdict('Suspended', 'True', 'Gone', goneMessage))
  if (blocked !== undefined) {
    const message = `Messages stay in their queue because their copies for retry or dead letter are not stored: ${blocked}`
    verdicts.push(verdict('RetryBlocked', 'True', 'CopyNotConfirmed', message))
  }
  return { verdicts, delivery: deliveryStatus(tally) }
}

const goneMessage =
  'The subscriber answered 410 Gone; delivery stops until this resource changes, and messages wait in the queue'

const delivering = ({ waiting, gone }: LaneState, tally: Tally, now: number): Verdict => {
  if (gone) return verdict('Delivering', 'False', 'Suspended', goneMessage)
  if (waiting) return verdict('Delivering', 'False', waiting.reason, waiting.message)
  return deliveringVerdict(tally, now)
}

/** What a rest means for its subscription, with the counts from before. */
export const idleFinding = ({ reason, message }: Idle, tally: Tally): Finding => ({
  verdicts:
    reason === 'TargetInvalid' || reason === 'NoConsumer'
      ? [verdict('Delivering', 'False', reason, message)]
      : [verdict('Delivering', 'False', 'Suspended', message), verdict('Suspended', 'True', reason, message)],
  delivery: deliveryStatus(tally),
})
