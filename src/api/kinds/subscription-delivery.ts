import { duration, durationBetween } from '../schema/fields.ts'
import type { ObjectSchema } from '../schema/schema.ts'

const statusCodes = {
  type: 'array',
  maxItems: 64,
  // Of a set the API server keeps who put in each item, in every object and for each of these defaults.
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'string',
    maxLength: 3,
    'x-kubernetes-validations': [
      {
        rule: "self.matches('^[345]([0-9][0-9]|xx)$')",
        message: 'must be a status code from 300 on, such as 429, or a class such as 5xx',
      },
    ],
  },
} as const

/** How it is delivered: the `spec.delivery` of a Subscription. */
export const delivery = {
  type: 'object',
  description:
    'How long, how often and how many at a time messages are sent, and what becomes of those that cannot be delivered.',
  default: {},
  properties: {
    timeout: {
      ...durationBetween('1ms', '25m', ': RabbitMQ takes a message back after 30m (consumer_timeout)'),
      default: '30s',
      description: 'How long one attempt may take, from connecting to the end of the answer.',
    },
    concurrency: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 10,
      description: 'How many messages each replica of the dispatcher delivers at the same time.',
    },
    retry: {
      type: 'object',
      description: 'What happens after a failed attempt. A message that waits holds nobody up.',
      default: {},
      properties: {
        maxAttempts: {
          type: 'integer',
          minimum: 1,
          maximum: 100,
          default: 8,
          description: 'How often a message is tried, the first attempt included; then it is dead-lettered.',
        },
        schedule: {
          type: 'array',
          description: 'How long to wait before the second, third, … attempt; the last one repeats.',
          minItems: 1,
          maxItems: 16,
          items: durationBetween('100ms', '168h'),
          default: ['5s', '30s', '2m', '10m', '30m', '1h', '3h'],
        },
        maxAge: {
          ...duration,
          default: '24h',
          description: 'How long after its first attempt a message is still tried; then it is dead-lettered.',
        },
        retryAfterMax: {
          ...duration,
          default: '1h',
          description:
            'The longest Retry-After of a subscriber that is honoured. It delays an attempt, never hastens it.',
        },
        retryOn: {
          ...statusCodes,
          default: ['401', '403', '404', '407', '408', '409', '425', '429', '3xx', '5xx'],
          description:
            'Answers that are tried again. An exact code goes before a class such as 4xx, and retryOn before deadLetterOn; an answer in neither is tried again.',
        },
        deadLetterOn: {
          ...statusCodes,
          default: ['400', '405', '413', '415', '422'],
          description: 'Answers that will not change: dead-lettered at once.',
        },
      },
    },
    onGone: {
      type: 'string',
      enum: ['Suspend', 'DeadLetter'],
      default: 'Suspend',
      description:
        'What the answer 410 Gone means. Suspend: stop delivering until this resource changes; the message stays. DeadLetter: give up this message only.',
    },
  },
} as const satisfies ObjectSchema
