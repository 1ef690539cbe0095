import { defineKind, type Resource } from '../resource.ts'
import { durationBetween, fixedPresence, immutable } from '../schema/fields.ts'
import { jobColumns, jobFields, jobRules, jobStatus, ofSubscription } from './letter-job.ts'

export const replay = defineKind({
  kind: 'Replay',
  plural: 'replays',
  singular: 'replay',
  shortName: 'wbr',
  description: 'Delivers dead letters once more, one attempt each. It acts once, as a Job does.',
  spec: {
    type: 'object',
    description: 'Which dead letters, where to, and how carefully.',
    required: ['subscriptionRef', 'selector'],
    properties: {
      subscriptionRef: ofSubscription,
      ...jobFields,
      to: {
        type: 'string',
        enum: ['Subscriber', 'Queue', 'DeadLetters'],
        default: 'Subscriber',
        description:
          'Subscriber: straight from the dead-letter queue, one attempt each; what fails stays a dead letter, marked. Queue: back into the queue of the subscription, to be delivered with all its retries. DeadLetters: what a Discard took becomes a dead letter again.',
        'x-kubernetes-validations': immutable,
      },
      rate: {
        type: 'object',
        description: 'How fast.',
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
        description: 'So many at a time.',
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
    'x-kubernetes-validations': [...jobRules, fixedPresence('canary')],
  },
  status: jobStatus,
  columns: jobColumns,
})

export type Replay = Resource<typeof replay>
