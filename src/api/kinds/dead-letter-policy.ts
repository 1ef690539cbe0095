import { conditions } from '../conditions.ts'
import { defineKind, type Resource } from '../resource.ts'
import { ageColumn } from '../schema/columns.ts'
import { durationBetween, longestQueue, observedGeneration, timeToLive } from '../schema/fields.ts'
import { listOf } from './letter-selector.ts'

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
          discarded: {
            ...timeToLive('0s'),
            default: '168h',
            description: 'How long what a Discard took can be restored. 0s: it is removed at once.',
          },
        },
      },
      alert: {
        type: 'object',
        description: 'When a subscription reports DeadLettersPresent: where one of these holds.',
        default: {},
        properties: {
          depth: {
            type: 'integer',
            minimum: 1,
            maximum: longestQueue,
            default: 1,
            description: 'At this many dead letters.',
          },
          oldestAge: {
            ...durationBetween('1s', '8760h'),
            description: 'When the oldest dead letter has been one for this long.',
          },
        },
      },
      redact: {
        type: 'object',
        description:
          'What nobody gets to see of dead letters, whatever they may see else. It is withheld where they are read, before the command line or the console has them.',
        default: {},
        properties: {
          bodies: { type: 'boolean', default: false, description: 'No bodies.' },
          headers: listOf(
            { type: 'string', minLength: 1, maxLength: 128 },
            64,
            'No values of these headers, also inside of tables: names without regard to case, or how names begin, as in x-customer-*.',
          ),
          jsonPointers: listOf(
            {
              type: 'string',
              maxLength: 512,
              'x-kubernetes-validations': [
                {
                  rule: "self.matches('^(/([^/~]|~[01])*)+$')",
                  message: 'must be a JSON pointer such as /customer/email',
                },
              ],
            },
            64,
            'No values at these places of JSON bodies, and of the data of CloudEvents in structured mode; * is every element or member. A body that is not JSON, or larger than 1 MiB, is withheld whole.',
          ),
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
    ageColumn,
  ],
})

export type DeadLetterPolicy = Resource<typeof deadLetterPolicy>
