import { type Reason, type Verdict, verdict } from '../../api/conditions.ts'
import { mostHeld } from '../../rabbit/amqp/holding/hold.ts'
import { type Progress, type Seen, triedBy } from './progress.ts'
import type { Job } from './unfinished.ts'

/** What matched is part of it, because that is written before anything is done: the rest is reckoned from it. */
export const progressing = ({ matched }: Pick<Progress, 'matched'>): Verdict[] => {
  const found = matched === undefined ? 'Looking at the dead letters' : `${numbered(matched, 'dead letter')} matched`
  return [verdict('Progressing', 'True', 'Progressing', `${found}: see delivered, failed and left`)]
}

export const waiting = (reason: Reason<'Progressing'>, message: string): Verdict[] => [
  verdict('Progressing', 'False', reason, message),
]

export const suspended = (): Verdict[] => [
  verdict('Suspended', 'True', 'Suspended', 'spec.suspend is true: nothing more is taken'),
  verdict('Progressing', 'False', 'Suspended', 'spec.suspend is true'),
]

const complete = (reason: Reason<'Complete'>, message: string): Verdict[] => [
  verdict('Progressing', 'False', 'Ended', 'It has ended'),
  verdict('Complete', 'True', reason, message),
]

const failed = (reason: Reason<'Failed'>, message: string): Verdict[] => [
  verdict('Progressing', 'False', 'Ended', 'It has ended'),
  verdict('Failed', 'True', reason, message),
]

/** How a job ended, by how far it is after a pass; `undefined` while it goes on. */
export const ending = (job: Job, progress: Progress, seen: Seen): Verdict[] | undefined => {
  const { left, stop } = progress
  if (stop) return failed(stop.reason, `${stop.message}; ${progressText(job, progress)}`)
  if (job.spec.dryRun)
    return complete('DryRun', `${numbered(seen.matching, 'dead letter')} would be taken; nothing was`)
  const looked = seen.marked + seen.others
  if (left <= 0 && seen.matching === 0 && !seen.isComplete && looked >= mostHeld) {
    return failed('SelectionTooDeep', `Nothing more matches among the first ${looked.toLocaleString('en')} messages`)
  }
  if (left <= 0) {
    if (!seen.isComplete) return undefined
    if (triedBy(progress) === 0) return complete('NothingMatched', 'No dead letter matches; nothing was done')
    return complete('Completed', progressText(job, progress))
  }
  if (triedBy(progress) < job.spec.maxMessages) return undefined
  return complete('MaxMessagesReached', `${progressText(job, progress)}; it may take no more than maxMessages`)
}

const progressText = (job: Job, { delivered, failed: again, left }: Progress): string => {
  const done = numbered(delivered, 'dead letter')
  const parts = [`${done} ${doneBy(job)}`]
  if (again > 0) parts.push(`${again.toLocaleString('en')} failed again and stay dead letters`)
  if (left > 0) parts.push(`${left.toLocaleString('en')} left as they are`)
  return parts.join(', ')
}

const doneBy = (job: Job): string => {
  if (job.kind === 'Discard') return 'discarded'
  return { Subscriber: 'delivered', Queue: 'put back into the queue', DeadLetters: 'restored' }[job.spec.to]
}

const numbered = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
