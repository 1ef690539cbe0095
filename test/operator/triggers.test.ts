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

const conditionsOf = (of: { [T in ConditionType]?: readonly [Condition['status'], Reason<T>] }): Condition[] =>
  stamp(
    Object.entries(of).map(([type, [status, reason]]) =>
      verdict(type as ConditionType, status, reason as Reason<ConditionType>, ''),
    ),
    undefined,
    1,
    new Date(0),
  )
const declared = conditionsOf({
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
  const world = createWorld(store)
  wakeOn(world, (key) => woken.push(key))
  const wakeUps = (name = 'rabbitmq'): number => woken.filter((key) => key === `shop/${name}`).length
  const say = (manager: FieldManager, conditions: readonly Condition[]) =>
    objects.applyStatus(objects.get(subscription, 'shop', 'billing')!, manager, { conditions })
  return {
    ...{ world, wakeUps, put, say, stop: world.close },
    untilWoken: (count: number) => eventually(() => wakeUps() === count),
  }
}

const notYet = conditionsOf({ Ready: ['False', 'NotDelivering'] })
const delivered = conditionsOf({ Delivering: ['True', 'Delivering'], Ready: ['True', 'Ready'] })
const lost = conditionsOf({ Delivering: ['False', 'NoConsumer'], Ready: ['False', 'NotDelivering'] })

test('a broker is woken by a Subscription that is no longer delivered, not by one that is delivered and Ready', async () => {
  const { wakeUps, put, say, stop, untilWoken } = setUp()
  await untilWoken(1)
  say('waybill-operator', [...declared, ...notYet])
  say('waybill-dispatcher', delivered)
  put(brokerNamed('other'))
  await eventually(() => wakeUps('other') === 1)
  expect(wakeUps()).toBe(1)
  say('waybill-dispatcher', lost)
  await untilWoken(2)
  stop()
})

test('a broker is woken when Ready of a Subscription does not follow from its other conditions', async () => {
  const { say, stop, untilWoken } = setUp()
  await untilWoken(1)
  say('waybill-dispatcher', delivered)
  say('waybill-operator', [...declared, ...notYet])
  await untilWoken(2)
  stop()
})

test('the resources are read once per change for all readers, and controllers are called for it together', async () => {
  const { world, put, stop } = setUp()
  const calls: string[] = []
  world.onRelevantChange(() => calls.push('one'))
  world.onRelevantChange(() => calls.push('two'))
  await eventually(() => calls.length === 2)
  const first = world.now()
  expect(world.now()).toBe(first)
  put(brokerNamed('other'))
  expect(world.now()).not.toBe(first)
  expect([...world.now().attached.keys()]).toEqual(['shop/rabbitmq', 'shop/other'])
  await eventually(() => calls.length === 4)
  expect(calls).toEqual(['one', 'two', 'one', 'two'])
  stop()
})
