import { defineKind, type Resource } from '../resource.ts'
import { durationBetween, fixedPresence, immutable } from '../schema/fields.ts'
import { jobColumns, jobFields, jobRules, jobStatus } from './letter-job.ts'
import { target, targetRules } from './letter-source.ts'

export const replay = defineKind({
  kind: 'Replay',
  plural: 'replays',
  singular: 'replay',
  shortName: 'wbr',
  description:
    'Delivers dead letters once more, or puts them, parked events or orphans into a queue. It acts once, as a Job does.',
  spec: {
    type: 'object',
    description: 'Which messages, where to, and how carefully.',
    required: ['selector'],
    properties: {
      ...jobFields,
      to: {
        type: 'string',
        enum: ['Subscriber', 'Queue', 'Topic', 'DeadLetters'],
        description:
          'Subscriber: straight from the dead-letter queue, one attempt each; what fails stays a dead letter, marked. Queue: back into the queue of the subscription, to be delivered with all its retries, or into the queue of queueRef or target. Topic: parked events to the exchange of their topic, with their routing keys. DeadLetters: what a Discard took becomes a dead letter again, or is parked again. When left out: Queue where there is a target, else Subscriber with subscriptionRef, Queue with queueRef, Topic with topicRef.',
        'x-kubernetes-validations': immutable,
      },
      target,
      rate: {
        type: 'object',
        description: 'How fast it delivers to a subscriber. What it puts into queues is there at once.',
        default: {},
        properties: {
          requests: {
            type: 'integer',
            minimum: 1,
            maximum: 10_000,
            default: 100,
            description: 'So many messages at most …',
          },
          per: { ...durationBetween('1s', '1h'), default: '1s', description: '… in this time.' },
          ramp: {
            type: 'boolean',
            default: true,
            description: 'Begins with a tenth of it and doubles every two seconds.',
          },
        },
      },
      concurrency: {
        type: 'integer',
        minimum: 1,
        maximum: 100,
        default: 5,
        description: 'How many are delivered at a time.',
      },
      canary: {
        type: 'object',
        description: 'Messages to try first, one after the other: where one of them fails, nothing else is taken.',
        required: ['messages'],
        properties: {
          messages: { type: 'integer', minimum: 0, maximum: 100, description: 'How many.' },
          settle: {
            ...durationBetween('0s', '10m'),
            default: '0s',
            description: 'How long to wait after them before the others.',
          },
        },
        'x-kubernetes-validations': immutable,
      },
      abortOn: {
        type: 'object',
        description: 'When to stop because too many fail.',
        required: ['failureRatePercent'],
        properties: {
          failureRatePercent: {
            type: 'integer',
            minimum: 1,
            maximum: 100,
            description: 'When at least this share of the latest attempts failed.',
          },
          minimum: {
            type: 'integer',
            minimum: 1,
            maximum: 1_000,
            default: 5,
            description: 'Not before so many attempts.',
          },
          window: {
            type: 'integer',
            minimum: 1,
            maximum: 1_000,
            default: 20,
            description: 'So many of the latest attempts count.',
          },
        },
        'x-kubernetes-validations': [
          { rule: 'self.minimum <= self.window', message: 'must not be more than window', fieldPath: '.minimum' },
        ],
      },
    },
    'x-kubernetes-validations': [...jobRules, ...targetRules, fixedPresence('canary')],
  },
  status: jobStatus,
  columns: jobColumns,
})

export type Replay = Resource<typeof replay>

/** Where a Replay puts what it takes; what is left out follows from the rest. */
export const toOf = ({ to, target, subscriptionRef, topicRef }: Replay['spec']): NonNullable<Replay['spec']['to']> =>
  to ?? (target ? 'Queue' : subscriptionRef ? 'Subscriber' : topicRef ? 'Topic' : 'Queue')
