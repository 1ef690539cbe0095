import { discard } from '../../src/api/kinds/discard.ts'
import { replay } from '../../src/api/kinds/replay.ts'
import type { Kind } from '../../src/api/resource.ts'

const one = { name: 'one' }
const job = (spec: object) => ({ selector: { all: true }, ...spec })
const oneSource = 'spec: set exactly one of subscriptionRef, queueRef, topicRef and orphans'

/** Of Replays and Discards: what does not go together. */
export const badJobs: readonly [string, Kind, unknown, string][] = [
  ['a Replay of nothing', replay, job({}), oneSource],
  ['a Discard of two sources', discard, job({ queueRef: one, topicRef: one, reason: 'x' }), oneSource],
  [
    'the subscriber of a Queue',
    replay,
    job({ queueRef: one, to: 'Subscriber' }),
    'spec.to: needs subscriptionRef for Subscriber: nothing else has a subscriber, found "Subscriber"',
  ],
  [
    'the queue of a Topic',
    replay,
    job({ topicRef: one, to: 'Queue' }),
    'spec.to: needs subscriptionRef, queueRef or target for Queue: parked events go to Topic, found "Queue"',
  ],
  [
    'dead letters to a topic',
    replay,
    job({ subscriptionRef: one, to: 'Topic' }),
    'spec.to: needs topicRef for Topic, found "Topic"',
  ],
  [
    'a target for what is restored',
    replay,
    job({ queueRef: one, to: 'DeadLetters', target: { queueRef: one } }),
    'spec.target: excludes any other to than Queue',
  ],
  [
    'two targets',
    replay,
    job({ queueRef: one, target: { queueRef: one, subscriptionRef: one } }),
    'spec.target: set exactly one of subscriptionRef and queueRef',
  ],
  [
    'orphans without a target',
    replay,
    job({ orphans: { brokerRef: one } }),
    'spec.orphans: needs target: the queue that they were for is gone',
  ],
]
