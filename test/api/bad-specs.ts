import { broker } from '../../src/api/kinds/broker.ts'
import { deadLetterPolicy } from '../../src/api/kinds/dead-letter-policy.ts'
import { queue } from '../../src/api/kinds/queue.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import type { Kind } from '../../src/api/resource.ts'
import { badJobs } from './bad-jobs.ts'
import { badSubscriptions, pushed } from './bad-subscriptions.ts'

const ref = { brokerRef: { name: 'main' } }
const secret = { connection: { secretRef: { name: 's' } } }
const tooManyBytes = 'must have at most 255 bytes in UTF-8, the most that AMQP can carry'
const aName = 'must be lower-case letters, digits, - and ., and start and end with a letter or digit'

/** What is wrong, the kind, a specification, and the one problem that Waybill finds in it. The API server refuses it too. */
export const badSpecs: readonly [string, Kind, unknown, string][] = [
  ...badSubscriptions,
  ...badJobs,
  [
    'an age that RabbitMQ 3 cannot count',
    deadLetterPolicy,
    { retention: { maxAge: '1194h' } },
    'spec.retention.maxAge: must be a duration such as 30s or 5m, from 1s to 1193h (49 days), the most that RabbitMQ 3 can count, found "1194h"',
  ],
  [
    'an age of nothing',
    deadLetterPolicy,
    { retention: { maxAge: '0s' } },
    'spec.retention.maxAge: must be a duration such as 30s or 5m, from 1s to 1193h (49 days), the most that RabbitMQ 3 can count, found "0s"',
  ],
  [
    'more dead letters than there can be',
    deadLetterPolicy,
    { retention: { maxLength: 1e20 } },
    'spec.retention.maxLength: must be <= 1000000000000, found 100000000000000000000',
  ],
  [
    'a name that AMQP reserves',
    topic,
    { ...ref, exchange: { name: 'amq.topic' } },
    'spec.exchange.name: must not start with amq., which AMQP reserves for the broker, found "amq.topic"',
  ],
  [
    'a name of too many bytes',
    topic,
    { ...ref, exchange: { name: 'ä'.repeat(128) } },
    `spec.exchange.name: ${tooManyBytes}, found "${'ä'.repeat(76)}…`,
  ],
  [
    'a name that no path can have',
    queue,
    { ...ref, name: '..' },
    'spec.name: must not be . or .., which the management API of RabbitMQ cannot address, found ".."',
  ],
  [
    'a name with a line break',
    queue,
    { ...ref, name: 'a\nb' },
    'spec.name: must not contain control characters, found "a\\nb"',
  ],
  [
    'a reference that Kubernetes cannot have',
    queue,
    { brokerRef: { name: 'My_Broker' } },
    `spec.brokerRef.name: ${aName}, found "My_Broker"`,
  ],
  [
    'a type that is no longer there',
    queue,
    { ...ref, type: 'Mirrored' },
    'spec.type: must be one of Quorum, Classic, found "Mirrored"',
  ],
  [
    'a delivery limit on a classic queue',
    queue,
    { ...ref, type: 'Classic', deliveryLimit: 3 },
    'spec.deliveryLimit: needs type: Quorum, the only type that counts deliveries, found 3',
  ],
  [
    'a resync all the time',
    broker,
    { ...secret, resyncInterval: '5ms' },
    'spec.resyncInterval: must be a duration such as 30s or 5m, from 1s to 24h, found "5ms"',
  ],
  [
    'a virtual host of too many bytes',
    broker,
    { ...secret, vhost: 'ä'.repeat(128) },
    `spec.vhost: ${tooManyBytes}, found "${'ä'.repeat(76)}…`,
  ],
  [
    'a namespace for a Secret',
    broker,
    { connection: { secretRef: { name: 's', namespace: 'n' } } },
    'spec.connection.secretRef.namespace: is not a field here: use name',
  ],
  ['a reference that is null', topic, { brokerRef: null }, 'spec.brokerRef: is required'],
  ['no spec', topic, undefined, 'spec.brokerRef: is required'],
  ['a list for a spec', topic, [], 'spec: must be of type object, found []'],
]

const fixed = 'cannot be changed: create another resource instead'

/** What is changed, the kind, the new and the old specification, and the one problem. */
export const badChanges: readonly [string, Kind, object, object, string][] = [
  [
    'the topic of a subscription',
    subscription,
    { ...pushed, topicRef: { name: 'bills' } },
    pushed,
    `spec.topicRef: ${fixed}`,
  ],
  [
    'the queue of a subscription',
    subscription,
    { ...pushed, topicRef: null, queueRef: { name: 'b' } },
    { ...pushed, topicRef: null, queueRef: { name: 'a' } },
    `spec.queueRef: ${fixed}`,
  ],
  [
    'the kind of source',
    subscription,
    { queueRef: { name: 'q' }, subscriber: pushed.subscriber },
    pushed,
    `spec.topicRef: ${fixed}`,
  ],
  ['the broker of a topic', topic, { brokerRef: { name: 'b' } }, ref, `spec.brokerRef: ${fixed}`],
  ['the broker of a queue', queue, { brokerRef: { name: 'b' } }, ref, `spec.brokerRef: ${fixed}`],
  ['the exchange', topic, { ...ref, exchange: { type: 'Fanout' } }, ref, `spec.exchange: ${fixed}`],
  ['the virtual host', broker, { ...secret, vhost: 'b' }, secret, `spec.vhost: ${fixed}, found "b"`],
  ['the name of a queue', queue, { ...ref, name: 'b' }, { ...ref, name: 'a' }, `spec.name: ${fixed}, found "b"`],
  ['the name of a queue, taken away', queue, ref, { ...ref, name: 'a' }, `spec.name: ${fixed}`],
  ['the name of a queue, added', queue, { ...ref, name: 'a' }, ref, `spec.name: ${fixed}, found "a"`],
  ['the type of a queue', queue, { ...ref, type: 'Classic' }, ref, `spec.type: ${fixed}, found "Classic"`],
]

/** Names that become too long on the broker. */
export const badNames: readonly [Kind, unknown][] = [
  [topic, ref],
  [queue, ref],
  [subscription, pushed],
]
