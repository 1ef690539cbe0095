import { duration, durationBetween } from '../schema/fields.ts'
import type { ObjectSchema } from '../schema/schema.ts'

const statusCodes = {
  type: 'array',
  maxItems: 64,
  // For a set the API server records who added each item, in every object and for each of these defaults.
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
  description: 'Timeout, concurrency and retries, and what happens to messages that cannot be delivered.',
  default: {},
  properties: {
    timeout: {
      ...durationBetween('1ms', '25m', ': RabbitMQ requeues a message after 30m (consumer_timeout)'),
      default: '30s',
      description: 'How long one attempt may take, from connecting to the end of the response.',
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
      description: 'What happens after a failed attempt. A message that waits for its retry does not delay others.',
      default: {},
      properties: {
        maxAttempts: {
          type: 'integer',
          minimum: 1,
          maximum: 100,
          default: 8,
          description: 'How many attempts a message gets, the first one included; then it is dead-lettered.',
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
          description: 'How long after its first attempt a message is still retried; then it is dead-lettered.',
        },
        retryAfterMax: {
          ...duration,
          default: '1h',
          description:
            'The longest Retry-After of a subscriber that is honoured. It can delay an attempt, but not bring it forward.',
        },
        retryOn: {
          ...statusCodes,
          default: ['401', '403', '404', '407', '408', '409', '425', '429', '3xx', '5xx'],
          description:
            'Status codes that are retried. An exact code takes precedence over a class such as 4xx, and retryOn over deadLetterOn; a code in neither is retried.',
        },
        deadLetterOn: {
          ...statusCodes,
          default: ['400', '405', '413', '415', '422'],
          description: 'Status codes that a retry would not change: the message is dead-lettered at once.',
        },
      },
    },
    onGone: {
      type: 'string',
      enum: ['Suspend', 'DeadLetter'],
      default: 'Suspend',
      description:
        'What the answer 410 Gone means. Suspend: stop delivering until this resource changes; the message stays in the queue. DeadLetter: dead-letter this message only.',
    },
  },
} as const satisfies ObjectSchema
