import { type Reason, type Verdict, verdict } from '../../api/conditions.ts'
import type { Job } from '../../api/job.ts'
import { toOf } from '../../api/kinds/replay.ts'
import type { Stop } from '../../delivery/letters/verdicts.ts'
import { mostHeld } from '../../rabbit/amqp/holding/hold.ts'
import { type Progress, type Seen, triedBy } from './progress.ts'

/** What matched is part of it, because that is written before anything is done: the rest is reckoned from it. */
export const progressing = (job: Job, { matched }: Pick<Progress, 'matched'>): Verdict[] => {
  const noun = nounOf(job)
  const found = matched === undefined ? `Looking at the ${noun}s` : `${numbered(matched, noun)} matched`
  const message = `${found}: see delivered, failed and left`
  return [
    verdict('Progressing', 'True', 'Progressing', message),
    verdict('Reconciling', 'True', 'Progressing', message),
  ]
}

export const waiting = (reason: Reason<'Reconciling'>, message: string): Verdict[] => [
  verdict('Progressing', 'False', reason, message),
  verdict('Reconciling', 'True', reason, message),
]

export const suspended = (): Verdict[] => [
  verdict('Suspended', 'True', 'Suspended', 'spec.suspend is true: nothing more is taken'),
  verdict('Progressing', 'False', 'Suspended', 'spec.suspend is true'),
]

const complete = (reason: Reason<'Complete'>, message: string): Verdict[] => [
  verdict('Progressing', 'False', 'Ended', message),
  verdict('Complete', 'True', reason, message),
]

const failed = (reason: Reason<'Failed'>, message: string): Verdict[] => [
  verdict('Progressing', 'False', 'Ended', message),
  verdict('Failed', 'True', reason, message),
  verdict('Stalled', 'True', reason, message),
]

/** How a job ended that stops before its end. */
export const stopped = (job: Job, progress: Progress, { reason, message }: Stop): Verdict[] =>
  failed(reason, `${message}; ${progressText(job, progress)}`)

/** How a job ended, by how far it is after a pass; `undefined` while it goes on. */
export const ending = (job: Job, progress: Progress, seen: Seen): Verdict[] | undefined => {
  const { left, stop } = progress
  if (stop) return stopped(job, progress, stop)
  if (job.spec.dryRun) return complete('DryRun', `${numbered(seen.matching, nounOf(job))} would be taken; nothing was`)
  const looked = seen.marked + seen.others
  if (left <= 0 && seen.matching === 0 && !seen.isComplete && looked >= mostHeld) {
    return failed('SelectionTooDeep', `Nothing more matches among the first ${looked.toLocaleString('en')} messages`)
  }
  if (left <= 0) {
    if (!seen.isComplete) return undefined
    if (triedBy(progress) === 0) return complete('NothingMatched', `No ${nounOf(job)} matches; nothing was done`)
    return complete('Completed', progressText(job, progress))
  }
  if (triedBy(progress) < job.spec.maxMessages) return undefined
  return complete('MaxMessagesReached', `${progressText(job, progress)}; it may take no more than maxMessages`)
}

const progressText = (job: Job, { delivered, failed: again, left }: Progress): string => {
  const done = numbered(delivered, nounOf(job))
  const parts = [`${done} ${doneBy(job)}`]
  if (again > 0) parts.push(`${again.toLocaleString('en')} ${againOf(job)}`)
  if (left > 0) parts.push(`${left.toLocaleString('en')} left as they are`)
  return parts.join(', ')
}

const doneBy = (job: Job): string => {
  if (job.kind === 'Discard') return 'discarded'
  const { target } = job.spec
  const into = target?.queueRef ?? target?.subscriptionRef
  const queue = into ? `put into the queue of ${target?.queueRef ? 'Queue' : 'Subscription'} ${into.name}` : undefined
  return {
    Subscriber: 'delivered',
    Queue: queue ?? 'put back into the queue',
    Topic: 'put back to the topic',
    DeadLetters: 'restored',
  }[toOf(job.spec)]
}

const againOf = ({ spec }: Job): string =>
  spec.topicRef ? 'that no subscription wants are parked again' : 'failed again and stay dead letters'

const nounOf = ({ spec }: Job): string => {
  if (spec.topicRef) return 'parked event'
  return spec.orphans ? 'orphan' : 'dead letter'
}

const numbered = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
