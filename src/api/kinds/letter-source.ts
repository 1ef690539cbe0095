import { fixedPresence, immutable, localRef } from '../schema/fields.ts'
import type { Rule, Schema } from '../schema/schema.ts'

/** Where Replays and Discards take messages from, and where a Replay may put them instead. */

const ofSubscription = {
  ...localRef('Subscription'),
  description: 'The Subscription in the same namespace whose dead letters are meant.',
  'x-kubernetes-validations': immutable,
} as const satisfies Schema

export const sourceFields = {
  subscriptionRef: ofSubscription,
  queueRef: {
    ...localRef('Queue'),
    description:
      'The Queue in the same namespace whose dead letters are meant: what its dead-letter queue holds. It needs a deadLetterPolicyRef.',
    'x-kubernetes-validations': immutable,
  },
  topicRef: {
    ...localRef('Topic'),
    description: 'The Topic in the same namespace whose parked events are meant: those that nobody subscribed to.',
    'x-kubernetes-validations': immutable,
  },
  orphans: {
    type: 'object',
    description: 'The messages that came back from a delay when their queue was gone: what waybill.orphans holds.',
    required: ['brokerRef'],
    properties: {
      brokerRef: {
        ...localRef('Broker'),
        description: 'The Broker. It must be in the same namespace, because its orphans are those of all namespaces.',
      },
    },
    'x-kubernetes-validations': immutable,
  },
} as const satisfies Readonly<Record<string, Schema>>

/** Fields that may be left out, and are neither added nor removed later. */
const fixed = (fields: readonly string[]): readonly Rule[] => fields.map(fixedPresence)

const sources = Object.keys(sourceFields)

export const sourceRules: readonly Rule[] = [
  {
    rule: `[${sources.map((field) => `has(self.${field})`).join(', ')}].exists_one(given, given)`,
    message: 'set exactly one of subscriptionRef, queueRef, topicRef and orphans',
  },
  ...fixed(sources),
]

/** Where a Replay puts messages, where that is not where they come from. */
export const target = {
  type: 'object',
  description:
    'Puts them into this queue instead, in the same namespace and on the same Broker: once the broker has confirmed that, they are gone from where they were.',
  properties: {
    subscriptionRef: {
      ...localRef('Subscription'),
      description: 'The Subscription that delivers them, with all its retries.',
    },
    queueRef: { ...localRef('Queue'), description: 'The Queue that gets them.' },
  },
  'x-kubernetes-validations': [
    {
      rule: 'has(self.subscriptionRef) != has(self.queueRef)',
      message: 'set exactly one of subscriptionRef and queueRef',
    },
    ...immutable,
  ],
} as const satisfies Schema

const isTo = (where: string): string => `(has(self.to) && self.to == '${where}')`

/** What goes together: a source, `to` and `target`. */
export const targetRules: readonly Rule[] = [
  ...fixed(['to', 'target']),
  {
    rule: `!${isTo('Subscriber')} || has(self.subscriptionRef)`,
    message: 'needs subscriptionRef for Subscriber: nothing else has a subscriber',
    fieldPath: '.to',
  },
  {
    rule: `!${isTo('Queue')} || has(self.subscriptionRef) || has(self.queueRef) || has(self.target)`,
    message: 'needs subscriptionRef, queueRef or target for Queue: parked events go to Topic',
    fieldPath: '.to',
  },
  {
    rule: `!${isTo('Topic')} || has(self.topicRef)`,
    message: 'needs topicRef for Topic',
    fieldPath: '.to',
  },
  {
    rule: `!has(self.target) || !has(self.to) || self.to == 'Queue'`,
    message: 'excludes any other to than Queue',
    fieldPath: '.target',
  },
  {
    rule: `!has(self.orphans) || has(self.target) || ${isTo('DeadLetters')}`,
    message: 'needs target: the queue that they were for is gone',
    fieldPath: '.orphans',
  },
]
