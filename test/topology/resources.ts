import { broker } from '../../src/api/kinds/broker.ts'
import { deadLetterPolicy } from '../../src/api/kinds/dead-letter-policy.ts'
import { discard } from '../../src/api/kinds/discard.ts'
import { queue } from '../../src/api/kinds/queue.ts'
import { replay } from '../../src/api/kinds/replay.ts'
import type { Resources } from '../../src/api/kinds/resources.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import { validate } from '../../src/api/kinds/validate.ts'
import { apiVersion, type Kind, type Metadata, type Resource } from '../../src/api/resource.ts'
import { type Desired, desired } from '../../src/topology/desired.ts'
import { dialectOf } from '../../src/topology/dialect.ts'
import { type Attached, resolveReferences } from '../../src/topology/references.ts'

export type Meta = Partial<Metadata>

/** A resource as the store has it: validated, with defaults. A name may be `namespace/name`. */
const resource =
  <K extends Kind>(kind: K, whole: (spec: object) => object = (spec) => spec) =>
  (name: string, spec: object = {}, metadata: Meta = {}): Resource<K> => {
    const [own = '', namespace = 'shop'] = name.split('/').reverse()
    const validated = validate(kind, { apiVersion, kind: kind.kind, spec: whole(spec) })
    if ('problems' in validated) throw new Error(JSON.stringify(validated.problems))
    return {
      apiVersion,
      kind: kind.kind,
      metadata: {
        name: own,
        namespace,
        uid: `uid of ${kind.kind} ${namespace}/${own}`,
        generation: 1,
        resourceVersion: '1',
        creationTimestamp: '2025-03-01T12:00:00Z',
        ...metadata,
      },
      spec: validated.spec,
    } as unknown as Resource<K>
  }

export const brokerOf = resource(broker, (spec) => ({ connection: { secretRef: { name: 'rabbitmq' } }, ...spec }))
export const topicOf = resource(topic, (spec) => ({ brokerRef: { name: 'rabbitmq' }, ...spec }))
export const queueOf = resource(queue, (spec) => ({ brokerRef: { name: 'rabbitmq' }, ...spec }))
export const policyOf = resource(deadLetterPolicy)
export const subscriptionOf = resource(subscription, (spec) => ({
  ...('queueRef' in spec ? {} : { topicRef: { name: 'orders' } }),
  subscriber: { url: 'http://billing.example/events' },
  ...spec,
}))

export const deleting: Meta = { deletionTimestamp: '2025-03-02T12:00:00Z', finalizers: ['waybill.dev/topology'] }
export const older: Meta = { creationTimestamp: '2025-02-01T12:00:00Z' }

/** All of them, with the Broker `shop/rabbitmq` unless there is one. */
export const resourcesOf = (...all: readonly Resource[]): Resources => {
  const ofKind = <K extends Kind>({ kind }: K) => all.filter((one) => one.kind === kind) as unknown as Resource<K>[]
  const brokers = ofKind(broker)
  return {
    brokers: brokers.length > 0 ? brokers : [brokerOf('rabbitmq')],
    topics: ofKind(topic),
    queues: ofKind(queue),
    subscriptions: ofKind(subscription),
    deadletterpolicies: ofKind(deadLetterPolicy),
    replays: ofKind(replay),
    discards: ofKind(discard),
  }
}

/** What is attached to the first Broker. Everything must resolve. */
export const attachedOf = (resources: Resources): Attached => {
  const { attached, unresolved } = resolveReferences(resources)
  if (unresolved.length > 0) throw new Error(JSON.stringify(unresolved))
  const [first] = attached.values()
  if (first === undefined) throw new Error('No broker')
  return first
}

export const desiredOf = (resources: Resources, version = '4.3.6'): Desired =>
  desired(attachedOf(resources), 'waybill', dialectOf(version))

/** What all resources here want together, with the Broker. */
export const desiredFrom = (...all: readonly Resource[]): Desired => desiredOf(resourcesOf(...all))
