import { conditions } from '../conditions.ts'
import { defineKind, type Resource } from '../resource.ts'
import { longestQueue, observedGeneration, timeToLive } from '../schema/fields.ts'

export const deadLetterPolicy = defineKind({
  kind: 'DeadLetterPolicy',
  plural: 'deadletterpolicies',
  singular: 'deadletterpolicy',
  shortName: 'wbdlp',
  description: 'How many undeliverable messages are kept and for how long, and when they raise an alert.',
  spec: {
    type: 'object',
    description: 'What is kept, and when it raises an alert.',
    properties: {
      retention: {
        type: 'object',
        description: 'Without limits, dead letters are kept until they are consumed or purged.',
        default: {},
        properties: {
          maxAge: { ...timeToLive('1s'), description: 'Dead letters older than this are dropped.' },
          maxLength: {
            type: 'integer',
            minimum: 1,
            maximum: longestQueue,
            description: 'How many dead letters a queue may hold.',
          },
          whenFull: {
            type: 'string',
            enum: ['Refuse', 'DropOldest'],
            default: 'Refuse',
            description:
              'Refuse: the message stays in the queue of its subscription, which reports RetryBlocked. DropOldest: the oldest dead letter is lost.',
          },
        },
      },
      alert: {
        type: 'object',
        description: 'When a subscription reports DeadLettersPresent.',
        default: {},
        properties: {
          depth: {
            type: 'integer',
            minimum: 1,
            maximum: longestQueue,
            default: 1,
            description: 'At this many dead letters.',
          },
        },
      },
      default: {
        type: 'boolean',
        default: false,
        description:
          'Applies to every Subscription of the namespace that names no policy. Of several defaults, the oldest applies.',
      },
    },
  },
  status: {
    type: 'object',
    description: 'Observed state, written by Waybill.',
    properties: {
      observedGeneration,
      subscriptions: { type: 'integer', description: 'How many subscriptions and queues it applies to.' },
      conditions,
    },
  },
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Subscriptions', type: 'integer', jsonPath: '.status.subscriptions' },
    { name: 'Default', type: 'string', jsonPath: '.spec.default' },
    { name: 'Max-Length', type: 'integer', jsonPath: '.spec.retention.maxLength', priority: 1 },
    { name: 'Max-Age', type: 'string', jsonPath: '.spec.retention.maxAge', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})

export type DeadLetterPolicy = Resource<typeof deadLetterPolicy>
