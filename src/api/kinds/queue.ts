import { conditions } from '../conditions.ts'
import { defineKind, type Resource } from '../resource.ts'
import { ageColumn, messageColumn, reasonColumn } from '../schema/columns.ts'
import {
  brokerObjectName,
  crossRef,
  fixedPresence,
  immutable,
  localRef,
  longestQueue,
  nameOnBroker,
  observedGeneration,
  routingKeys,
  timeToLive,
} from '../schema/fields.ts'
import { deadLetters } from './status-dead-letters.ts'

export const queue = defineKind({
  kind: 'Queue',
  plural: 'queues',
  singular: 'queue',
  shortName: 'wbq',
  description: 'A queue for a team that consumes with its own client; a Subscription may push from it.',
  spec: {
    type: 'object',
    description: 'Which queue, and what it receives.',
    required: ['brokerRef'],
    properties: {
      brokerRef: {
        ...crossRef('Broker', 'spec.allowedNamespaces'),
        'x-kubernetes-validations': immutable,
      },
      name: {
        ...brokerObjectName,
        description: 'Name on the broker; <namespace>.<name> when left out.',
        'x-kubernetes-validations': [...brokerObjectName['x-kubernetes-validations'], ...immutable],
      },
      type: {
        type: 'string',
        enum: ['Quorum', 'Classic'],
        default: 'Quorum',
        description: 'Quorum: replicated and safe. Classic: one copy, and no count of redeliveries.',
        'x-kubernetes-validations': immutable,
      },
      bindings: {
        type: 'array',
        description: 'What it receives. A change adds the new bindings before it removes the old ones.',
        maxItems: 32,
        items: {
          type: 'object',
          required: ['topicRef'],
          properties: {
            topicRef: crossRef('Topic', 'spec.allowedSubscribers'),
            routingKeys: { ...routingKeys, default: ['#'] },
          },
        },
      },
      messageTTL: {
        ...timeToLive('0s'),
        description: 'Messages older than this are dead-lettered, or dropped where there is no deadLetterPolicyRef.',
      },
      maxLength: {
        type: 'integer',
        minimum: 1,
        maximum: longestQueue,
        description: 'How many messages it may hold; unlimited when left out.',
      },
      overflow: {
        type: 'string',
        enum: ['RejectPublish', 'DropHead'],
        default: 'RejectPublish',
        description:
          'What a full queue does. RejectPublish refuses the new message: publishers to the topic see the refusal. DropHead dead-letters or drops the oldest message.',
      },
      deliveryLimit: {
        type: 'integer',
        minimum: 1,
        maximum: 1000000,
        description:
          'How often a quorum queue redelivers a message before it is dead-lettered or dropped; the default of the broker when left out. While a Subscription pushes from this queue, the limit is never reached.',
      },
      migration: {
        type: 'string',
        enum: ['Refuse'],
        default: 'Refuse',
        description:
          'What to do when the queue exists with other immutable arguments. Refuse: report it and change nothing.',
      },
      deadLetterPolicyRef: {
        ...localRef('DeadLetterPolicy'),
        description: 'Gives the queue its own dead-letter queue, waybill.dlq.Queue.<namespace>.<name>.',
      },
      adopt: { type: 'boolean', default: false, description: 'Use a queue that already exists. It is never deleted.' },
      deletionPolicy: {
        type: 'string',
        enum: ['RetainIfNotEmpty', 'Retain', 'Delete'],
        default: 'RetainIfNotEmpty',
        description: 'What happens to the queue when this resource is deleted. Only Delete ever deletes messages.',
      },
    },
    'x-kubernetes-validations': [
      fixedPresence('name'),
      {
        rule: "!has(self.deliveryLimit) || self.type == 'Quorum'",
        message: 'needs type: Quorum, the only type that counts deliveries',
        fieldPath: '.deliveryLimit',
      },
    ],
  },
  status: {
    type: 'object',
    description: 'Observed state, written by Waybill.',
    properties: {
      observedGeneration,
      queue: { type: 'string', description: 'Name on the broker.' },
      deadLetterQueue: { type: 'string', description: 'Name of its dead-letter queue.' },
      messages: { type: 'integer', description: 'Messages in the queue, rounded to two significant digits.' },
      policy: { type: 'string', description: 'The policy in force on the queue.' },
      deadLetters,
      conditions,
    },
  },
  rules: nameOnBroker,
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Queue', type: 'string', jsonPath: '.status.queue' },
    { name: 'Messages', type: 'integer', jsonPath: '.status.messages' },
    { name: 'Dead', type: 'integer', jsonPath: '.status.deadLetters.count' },
    { name: 'Oldest-Dead', type: 'date', jsonPath: '.status.deadLetters.oldest', priority: 1 },
    { name: 'Policy', type: 'string', jsonPath: '.status.policy', priority: 1 },
    reasonColumn('Ready'),
    ageColumn,
    messageColumn('Ready'),
  ],
})

export type Queue = Resource<typeof queue>
