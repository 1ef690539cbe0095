import { cutShort, skipped, suspended, tooMany } from './attempts.ts'
import { changed, invented, lost, unfinished } from './fates.ts'
import type { History, MessageId } from './history.ts'
import { journeysOf } from './journeys.ts'
import { deadThoughDelivered, givenUp, mislabelled } from './letters.ts'
import { doubled, misidentified, unordered } from './repeats.ts'

/** What a history breaks. */
export type Fault =
  | 'lost'
  | 'invented'
  | 'changed'
  | 'doubled'
  | 'dead-lettered'
  | 'too-many-attempts'
  | 'cut-short'
  | 'misidentified'
  | 'unordered'
  | 'given-up'
  | 'mislabelled'
  | 'skipped'
  | 'suspended'
  | 'unfinished'

export type Finding = {
  readonly fault: Fault
  readonly id: MessageId
  /** Of which subscription, where it has to do with one. */
  readonly subscription?: string
  /** What happened, for a person. */
  readonly text: string
}

/**
 * What a history breaks of what Waybill promises: every confirmed message that a subscription matches is answered 2xx there or
 * kept in one of its queues; nothing else is delivered; bytes stay; a message is delivered again only where something disturbed
 * its delivery, and not more often than that; attempts are counted, none is left out, and none comes before its time; what is given
 * up says why, and that is true.
 */
export const check = (history: History): readonly Finding[] => {
  const journeys = journeysOf(history)
  const rules = [
    ...[lost, invented, changed, deadThoughDelivered, givenUp, mislabelled],
    ...[doubled, tooMany, skipped, suspended, cutShort, misidentified, unordered],
  ]
  return [...rules.flatMap((rule) => rule(journeys)), ...(history.isAtRest ? unfinished(journeys) : [])]
}
