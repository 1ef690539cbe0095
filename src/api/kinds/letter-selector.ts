import { dateTime, longestQueue } from '../schema/fields.ts'
import type { ArraySchema, ObjectSchema, StringSchema } from '../schema/schema.ts'

/** A set of texts that is not empty. */
export const listOf = <const Item extends StringSchema>(item: Item, maxItems: number, description: string) =>
  ({
    type: 'array',
    description,
    items: item,
    minItems: 1,
    maxItems,
    'x-kubernetes-list-type': 'set',
  }) as const satisfies ArraySchema

const fields = ['groups', 'reasons', 'statusCodes', 'types', 'ids', 'deadLettered', 'headers', 'replaysAtMost']

/** Which dead letters a job takes. */
export const letterSelector = {
  type: 'object',
  description: 'Which dead letters to take: those that match every field given here. A list means any of its items.',
  properties: {
    all: {
      type: 'boolean',
      default: false,
      description: 'Takes every dead letter. Nothing is taken without it where no other field is set.',
    },
    groups: listOf(
      { type: 'string', minLength: 1, maxLength: 16 },
      100,
      'Groups of one cause, as status.deadLetters.groups of the Subscription names them.',
    ),
    reasons: listOf(
      { type: 'string', minLength: 1, maxLength: 64 },
      16,
      'Why they were dead-lettered: Rejected, Gone, Exhausted, Expired, Unparsable, DeliveryLimit; by the broker: QueueLimit, Rejected, Expired.',
    ),
    statusCodes: listOf(
      {
        type: 'string',
        maxLength: 3,
        'x-kubernetes-validations': [
          {
            rule: "self.matches('^[1-9]([0-9]{2}|xx)$')",
            message: 'must be a status code such as 503, or a class such as 5xx',
          },
        ],
      },
      32,
      'What the subscriber answered last: 503, or 5xx for the whole class.',
    ),
    types: listOf({ type: 'string', minLength: 1, maxLength: 1024 }, 100, 'Types of event.'),
    ids: listOf({ type: 'string', minLength: 1, maxLength: 16 }, 1_000, 'Dead letters by their own ids.'),
    deadLettered: {
      type: 'object',
      description: 'When they were dead-lettered.',
      properties: {
        notBefore: { ...dateTime, description: 'At this time or later.' },
        notAfter: { ...dateTime, description: 'At this time or earlier.' },
      },
      'x-kubernetes-validations': [
        { rule: 'has(self.notBefore) || has(self.notAfter)', message: 'set notBefore or notAfter' },
      ],
    },
    headers: {
      type: 'object',
      description: 'Headers of the message whose texts must be equal.',
      maxProperties: 16,
      additionalProperties: { type: 'string', maxLength: 1024 },
    },
    replaysAtMost: {
      type: 'integer',
      minimum: 0,
      maximum: longestQueue,
      description: 'Those that were replayed this often at most; 0: never.',
    },
  },
  'x-kubernetes-validations': [
    {
      rule: `self.all != (${fields.map((field) => `has(self.${field})`).join(' || ')})`,
      message: 'set either all: true or some of the other fields',
    },
  ],
} as const satisfies ObjectSchema
