import { conditions } from '../conditions.ts'
import { defineKind, type Resource } from '../resource.ts'
import { ageColumn, messageColumn, reasonColumn } from '../schema/columns.ts'
import {
  crossRef,
  fixedPresence,
  immutable,
  localRef,
  nameOnBroker,
  observedGeneration,
  routingKeys,
} from '../schema/fields.ts'
import { deadLetters } from './status-dead-letters.ts'
import { delivery } from './subscription-delivery.ts'
import { subscriber } from './subscription-subscriber.ts'

export const subscription = defineKind({
  kind: 'Subscription',
  plural: 'subscriptions',
  singular: 'subscription',
  shortName: 'wbs',
  description: 'Pushes each event of a topic, or each message of a queue, to one HTTP subscriber.',
  spec: {
    type: 'object',
    description: 'What to deliver, to which subscriber, and the retry policy.',
    required: ['subscriber'],
    properties: {
      topicRef: { ...crossRef('Topic', 'spec.allowedSubscribers'), 'x-kubernetes-validations': immutable },
      queueRef: { ...localRef('Queue'), 'x-kubernetes-validations': immutable },
      filter: {
        type: 'object',
        description:
          'Which events it receives; all when left out. A change adds the new bindings before it removes the old ones.',
        default: {},
        properties: {
          routingKeys: { ...routingKeys, default: ['#'] },
          headers: {
            type: 'object',
            description: 'On a topic with exchange type Headers: all of these must be equal.',
            maxProperties: 32,
            additionalProperties: { type: 'string', maxLength: 1024 },
            'x-kubernetes-validations': [
              {
                rule: 'self.all(name, bytes(name).size() <= 255)',
                message: 'must have names of at most 255 bytes in UTF-8, the most that AMQP can carry',
              },
              {
                rule: "self.all(name, !name.startsWith('x-'))",
                message: 'must not name headers that start with x-: RabbitMQ ignores them',
              },
            ],
          },
        },
        'x-kubernetes-validations': [
          {
            rule: "!has(self.headers) || self.routingKeys == ['#']",
            message: 'excludes routingKeys: a topic with exchange type Headers ignores them',
            fieldPath: '.headers',
          },
        ],
      },
      subscriber,
      delivery,
      deadLetterPolicyRef: {
        ...localRef('DeadLetterPolicy'),
        description:
          'Its dead-letter policy; when left out, the default policy of the namespace; without one, dead letters are kept without limits.',
      },
      suspend: {
        type: 'boolean',
        default: false,
        description: 'Stops delivery. The queue stays bound and fills; nothing is lost.',
      },
      deletionPolicy: {
        type: 'string',
        enum: ['RetainIfNotEmpty', 'Retain', 'Delete'],
        default: 'RetainIfNotEmpty',
        description: 'What happens to its queues when this resource is deleted. Only Delete ever deletes messages.',
      },
    },
    'x-kubernetes-validations': [
      { rule: 'has(self.topicRef) != has(self.queueRef)', message: 'set exactly one of topicRef and queueRef' },
      fixedPresence('topicRef'),
      {
        rule: "!has(self.queueRef) || (self.filter.routingKeys == ['#'] && !has(self.filter.headers))",
        message: 'needs topicRef: a queue has no filter',
        fieldPath: '.filter',
      },
    ],
  },
  status: {
    type: 'object',
    description: 'Observed state, written by Waybill.',
    properties: {
      observedGeneration,
      queue: {
        type: 'string',
        description: 'The queue it delivers from, once it was found on the broker as declared.',
      },
      queueUid: {
        type: 'string',
        description:
          'The uid of the resource that this queue was proved to belong to: of the Queue of queueRef, else its own. Nothing is delivered for another one.',
      },
      retryQueue: { type: 'string', description: 'Where its messages come back to after the delay before a retry.' },
      deadLetterQueue: { type: 'string', description: 'Where its undeliverable messages are kept.' },
      backlog: {
        type: 'object',
        description: 'Messages in its queue when it was last observed, rounded to two significant digits.',
        properties: {
          ready: { type: 'integer', description: 'Waiting to be delivered.' },
          inFlight: { type: 'integer', description: 'Being delivered.' },
        },
      },
      deadLetters,
      delivery: {
        type: 'object',
        description: 'What all replicas of the dispatcher have counted since they started.',
        properties: {
          delivered: { type: 'integer', description: 'Messages answered 2xx, rounded to two significant digits.' },
          retried: {
            type: 'integer',
            description: 'Attempts that failed and are retried, rounded to two significant digits.',
          },
          deadLettered: { type: 'integer', description: 'Messages that were dead-lettered.' },
          lastFailure: {
            type: 'object',
            description: 'The latest failed attempt.',
            properties: {
              time: { type: 'string', format: 'date-time', description: 'When it ended.' },
              statusCode: { type: 'integer', description: 'The HTTP status, where there was an answer.' },
              reason: { type: 'string', maxLength: 64, description: 'Why it failed, in one word.' },
              message: { type: 'string', maxLength: 256, description: 'Why it failed, for people.' },
            },
          },
        },
      },
      conditions,
    },
  },
  rules: nameOnBroker,
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Delivering', type: 'string', jsonPath: '.status.conditions[?(@.type=="Delivering")].status' },
    { name: 'Backlog', type: 'integer', jsonPath: '.status.backlog.ready' },
    { name: 'Dead', type: 'integer', jsonPath: '.status.deadLetters.count' },
    { name: 'Oldest-Dead', type: 'date', jsonPath: '.status.deadLetters.oldest', priority: 1 },
    { name: 'Topic', type: 'string', jsonPath: '.spec.topicRef.name' },
    reasonColumn('Ready'),
    { name: 'Url', type: 'string', jsonPath: '.spec.subscriber.url', priority: 1 },
    { name: 'Service', type: 'string', jsonPath: '.spec.subscriber.serviceRef.name', priority: 1 },
    { name: 'Queue', type: 'string', jsonPath: '.status.queue', priority: 1 },
    ageColumn,
    messageColumn('Ready'),
  ],
})

export type Subscription = Resource<typeof subscription>
