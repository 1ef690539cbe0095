import type { Infer, ObjectSchema } from '../schema/schema.ts'

const text = (maxLength: number, description: string) => ({ type: 'string', maxLength, description }) as const
const time = (description: string) => ({ type: 'string', format: 'date-time', description }) as const

/** In a status: what could not be delivered, and why. The operator counts, the dispatcher looks. */
export const deadLetters = {
  type: 'object',
  description: 'Messages that could not be delivered.',
  'x-kubernetes-map-type': 'granular',
  properties: {
    count: { type: 'integer', description: 'Messages in its dead-letter queue.' },
    oldest: time('When the oldest of them was dead-lettered.'),
    complete: {
      type: 'boolean',
      description: 'Whether the groups are those of all messages in the queue.',
    },
    scanned: { type: 'integer', description: 'How many messages the groups are made of.' },
    groups: {
      type: 'array',
      description: 'The messages by what went wrong, the largest groups first.',
      maxItems: 10,
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['group', 'reason', 'count'],
        properties: {
          group: text(16, 'Its name, the same for the same cause.'),
          reason: text(64, 'Why they were dead-lettered, in one word.'),
          statusCode: { type: 'integer', description: 'What the subscriber answered last.' },
          problem: text(256, 'The type of problem that the subscriber described.'),
          error: text(256, 'Why the latest of them was dead-lettered, for people.'),
          count: { type: 'integer', description: 'How many there are.' },
          replayed: { type: 'integer', description: 'How many of them were replayed before.' },
          first: time('When the first of them was dead-lettered.'),
          last: time('When the last of them was.'),
          types: {
            type: 'array',
            description: 'The types of their events, the most frequent first.',
            maxItems: 3,
            items: { type: 'string', maxLength: 128 },
            'x-kubernetes-list-type': 'atomic',
          },
          samples: {
            type: 'array',
            description: 'The ids of some of them.',
            maxItems: 3,
            items: { type: 'string', maxLength: 16 },
            'x-kubernetes-list-type': 'atomic',
          },
        },
      },
    },
    others: { type: 'integer', description: 'Messages in groups that are not listed.' },
  },
} as const satisfies ObjectSchema

export type DeadLettersStatus = Infer<typeof deadLetters>
