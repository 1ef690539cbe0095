import type { Job } from '../../api/job.ts'
import { toOf } from '../../api/kinds/replay.ts'
import type { Letter } from '../../delivery/letters/letter.ts'
import { selects } from '../../delivery/letters/select.ts'
import type { Message } from '../../delivery/message/message.ts'
import { waybillHeaders } from '../../delivery/message/waybill-headers.ts'
import { bin } from '../../topology/names.ts'
import type { Source } from './places.ts'

/**
 * What a message is to a job; `marked`: it tried this one before, without success; `foreign`: it is another
 * source's, and is not even counted.
 */
export type Sort = 'matching' | 'marked' | 'others' | 'foreign'

/** Whether a job takes what was discarded, not what is a dead letter. */
const restores = (job: Job): boolean => job.kind === 'Replay' && toOf(job.spec) === 'DeadLetters'

/** The queue that a job takes from. */
export const queueOf = (job: Job, source: Source): string => (restores(job) ? bin : source.queue)

/** Whether a part of it could not be read: what is left of it would pass for the whole, so it cannot be sent. */
export const isBroken = ({ properties }: Message): boolean =>
  properties.headers?.has(waybillHeaders.brokenProperties) === true

/** Sorts the messages of its queue for a job: what was dead-lettered after `cutoff` (ms since 1970) is left alone. */
export const sorting = (job: Job, source: Source, cutoff: number) => {
  const isSelected = selects(job.spec.selector)
  const { uid } = job.metadata
  const putsBack = job.kind === 'Replay' && toOf(job.spec) === 'Queue'
  // What was discarded of all sources is in one queue.
  const isOurs = restores(job)
    ? ({ properties }: Message) => properties.headers?.text(waybillHeaders.discardedFrom) === source.queue
    : () => true
  const isPuttable = job.kind === 'Discard' || restores(job) || source.route ? () => true : canBePut
  return (letter: Letter, message: Message): Sort => {
    if (!isOurs(message)) return 'foreign'
    // What was put back and is a dead letter again was done: the clock of who gave it up may be behind that of this process.
    if (letter.replay === uid) return putsBack && !isBroken(message) ? 'others' : 'marked'
    const isMeant = (letter.deadLettered ?? 0) <= cutoff && isSelected(letter, message)
    return isMeant && isPuttable(letter, message, source) ? 'matching' : 'others'
  }
}

/**
 * What of a message cannot be read would be lost by putting it elsewhere; a dead letter of a Subscription says that it failed
 * again instead. The header that says so is believed of copies of Waybill's alone.
 */
const canBePut = ({ routingKey }: Letter, { properties }: Message, { kept }: Source): boolean => {
  if (properties.isBroken) return false
  if (kept === 'orphaned' && properties.headers?.has(waybillHeaders.brokenProperties)) return false
  return kept !== 'parked' || !routingKey.includes('\ufffd')
}
