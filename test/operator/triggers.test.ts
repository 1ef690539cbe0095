import { type Condition, type ConditionType, type Reason, stamp, verdict } from '../../src/api/conditions.ts'
import { kinds } from '../../src/api/kinds/kinds.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { validate } from '../../src/api/kinds/validate.ts'
import { wakeOn } from '../../src/operator/topology/triggers.ts'
import { createWorld } from '../../src/operator/world/world.ts'
import { createChanges } from '../../src/store/changes.ts'
import { createObjects } from '../../src/store/directory/objects.ts'
import type { FieldManager, Store } from '../../src/store/store.ts'
import { type Manifest, subscriptionOf, topicOf } from '../support/manifests.ts'
import { eventually } from '../support/wait.ts'

const connection = { secretRef: { name: 'rabbitmq' } }
const brokerNamed = (name: string): Manifest => ({ ...topicOf(name), kind: 'Broker', spec: { connection } })

const said = (told: { [T in ConditionType]?: readonly [Condition['status'], Reason<T>] }): Condition[] =>
  stamp(
    Object.entries(told).map(([type, [status, reason]]) =>
      verdict(type as ConditionType, status, reason as Reason<ConditionType>, ''),
    ),
    undefined,
    1,
    new Date(0),
  )
const declared = said({
  ...{ Accepted: ['True', 'Accepted'], ResolvedRefs: ['True', 'ResolvedRefs'], Programmed: ['True', 'Programmed'] },
})

const setUp = () => {
  const changes = createChanges({
    error: (fields, message) => {
      throw new Error(message, { cause: fields })
    },
  })
  const objects = createObjects(() => new Date(), changes.announce)
  const put = (manifest: Manifest): void => {
    const kind = kinds.find((one) => one.kind === manifest.kind)!
    const validated = validate(kind, manifest)
    if (!('spec' in validated)) throw new Error(JSON.stringify(validated))
    const identity = { kind: manifest.kind, ...manifest.metadata, labels: {}, annotations: {} }
    objects.put({ kind, identity, spec: validated.spec as never })
  }
  put(brokerNamed('rabbitmq'))
  put(topicOf('orders'))
  put(subscriptionOf('billing', 'orders', 'http://127.0.0.1:9/'))
  const woken: string[] = []
  const store = { list: objects.list, get: objects.get, onChange: changes.onChange } as unknown as Store
  const { now } = createWorld(store)
  const stop = wakeOn(
    store,
    () => now().attached,
    (key) => woken.push(key),
  )
  const looks = (name = 'rabbitmq'): number => woken.filter((key) => key === `shop/${name}`).length
  const say = (manager: FieldManager, conditions: readonly Condition[]) =>
    objects.applyStatus(objects.get(subscription, 'shop', 'billing')!, manager, { conditions })
  return { looks, put, say, stop, untilLooked: (count: number) => eventually(() => looks() === count) }
}

const notYet = said({ Ready: ['False', 'NotDelivering'] })
const delivered = said({ Delivering: ['True', 'Delivering'], Ready: ['True', 'Ready'] })
const lost = said({ Delivering: ['False', 'NoConsumer'], Ready: ['False', 'NotDelivering'] })

test('what is delivered and Ready needs no look at the broker; what is not any more does, it may have lost its queue', async () => {
  const { looks, put, say, stop, untilLooked } = setUp()
  await untilLooked(1)
  say('waybill-operator', [...declared, ...notYet])
  say('waybill-dispatcher', delivered)
  put(brokerNamed('other'))
  await eventually(() => looks('other') === 1)
  expect(looks()).toBe(1)
  say('waybill-dispatcher', lost)
  await untilLooked(2)
  stop()
})

test('Ready that does not follow from the rest is set right, whoever said so knew too little', async () => {
  const { say, stop, untilLooked } = setUp()
  await untilLooked(1)
  say('waybill-dispatcher', delivered)
  say('waybill-operator', [...declared, ...notYet])
  await untilLooked(2)
  stop()
})
