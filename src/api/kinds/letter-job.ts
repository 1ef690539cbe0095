import { conditions } from '../conditions.ts'
import type { Column } from '../resource.ts'
import { ageColumn, messageColumn, reasonColumn } from '../schema/columns.ts'
import { durationBetween, fixedPresence, immutable, longestQueue, observedGeneration } from '../schema/fields.ts'
import type { ObjectSchema, Rule, Schema } from '../schema/schema.ts'
import { letterSelector } from './letter-selector.ts'
import { sourceFields, sourceRules } from './letter-source.ts'

/** What the kinds have in common that do something with dead letters once, as a Job does. */

export const jobFields = {
  ...sourceFields,
  selector: {
    ...letterSelector,
    'x-kubernetes-validations': [...letterSelector['x-kubernetes-validations'], ...immutable],
  },
  maxMessages: {
    type: 'integer',
    minimum: 1,
    maximum: longestQueue,
    default: 1_000,
    description: 'Takes so many at most, the oldest first.',
    'x-kubernetes-validations': immutable,
  },
  dryRun: {
    type: 'boolean',
    default: false,
    description: 'Only counts what matches, and ends.',
    'x-kubernetes-validations': immutable,
  },
  suspend: {
    type: 'boolean',
    default: false,
    description: 'Takes nothing more until it is false again. What is under way ends.',
  },
  ttlAfterFinished: {
    ...durationBetween('0s', '8760h'),
    description: 'How long this resource stays after it has ended. Without it, until somebody deletes it.',
  },
  requestedBy: {
    type: 'string',
    maxLength: 256,
    description: 'Who asked for it, as a note for others.',
    'x-kubernetes-validations': immutable,
  },
} as const satisfies Readonly<Record<string, Schema>>

export const jobRules = [...sourceRules, fixedPresence('requestedBy')] as const satisfies readonly Rule[]

const count = (description: string) => ({ type: 'integer', description }) as const

export const jobStatus = {
  type: 'object',
  description: 'Observed state, written by Waybill.',
  properties: {
    observedGeneration,
    cutoff: {
      type: 'string',
      format: 'date-time',
      description: 'What was dead-lettered later is left alone. Fixed before the first message is taken.',
    },
    matched: count('Dead letters that matched when it began.'),
    delivered: count('Done: answered 2xx, put back into a queue, or discarded.'),
    failed: count('Tried without success. They stay dead letters, or parked, marked as replayed.'),
    left: count('Not yet taken.'),
    passed: count('Dead letters that do not match, or came later.'),
    startTime: { type: 'string', format: 'date-time', description: 'When it began.' },
    completionTime: { type: 'string', format: 'date-time', description: 'When it ended.' },
    lastFailure: {
      type: 'object',
      description: 'The latest failure.',
      properties: {
        time: { type: 'string', format: 'date-time', description: 'When it was.' },
        statusCode: { type: 'integer', description: 'The HTTP status, where there was an answer.' },
        message: { type: 'string', maxLength: 256, description: 'Why it failed.' },
      },
    },
    conditions,
  },
} as const satisfies ObjectSchema

export const jobColumns: readonly Column[] = [
  { name: 'Complete', type: 'string', jsonPath: '.status.conditions[?(@.type=="Complete")].status' },
  { name: 'Failed', type: 'string', jsonPath: '.status.conditions[?(@.type=="Failed")].reason' },
  { name: 'Matched', type: 'integer', jsonPath: '.status.matched' },
  { name: 'Done', type: 'integer', jsonPath: '.status.delivered' },
  { name: 'Failed-Again', type: 'integer', jsonPath: '.status.failed' },
  { name: 'Left', type: 'integer', jsonPath: '.status.left' },
  { name: 'Subscription', type: 'string', jsonPath: '.spec.subscriptionRef.name' },
  { name: 'Queue', type: 'string', jsonPath: '.spec.queueRef.name', priority: 1 },
  { name: 'Topic', type: 'string', jsonPath: '.spec.topicRef.name', priority: 1 },
  reasonColumn('Progressing'),
  { name: 'Requested-By', type: 'string', jsonPath: '.spec.requestedBy', priority: 1 },
  ageColumn,
  messageColumn('Progressing'),
]
