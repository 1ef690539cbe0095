import type { Change } from '../../src/topology/change.ts'
import { diff } from '../../src/topology/diff.ts'
import { settleMs } from '../../src/topology/retire.ts'
import type { Observed } from '../../src/topology/topology.ts'
import { deleting, desiredFrom, subscriptionOf, topicOf } from './resources.ts'
import { converge, namesIn, planOf, virtualHost } from './virtual-host.ts'

const topic = topicOf('orders')
const names = Array.from({ length: 1000 }, (_, number) => `billing-${number}`)
const all = desiredFrom(topic, ...names.map((name) => subscriptionOf(name)))
const allGoing = desiredFrom(topic, ...names.map((name) => subscriptionOf(name, {}, deleting)))
const [going, staying] = [names.slice(0, 3), names.slice(3, 6)]
const some = desiredFrom(
  topic,
  ...going.map((name) => subscriptionOf(name, {}, deleting)),
  ...staying.map((name) => subscriptionOf(name)),
)
const seal = 'waybill:Broker/shop/rabbitmq#seal:'

const closedIn = ({ states }: Observed): string[] =>
  [...states.values()].flatMap(({ name, policy }) => (policy.includes('#seal:') ? [name] : [])).sort()
const queuesOf = (...subscriptions: string[]): string[] =>
  subscriptions.flatMap((name) => ['dlq', 'retry', 'sub'].map((what) => `waybill.${what}.shop.${name}`)).sort()
const isSeal = (change: Change): boolean => change.do === 'put-policy' && change.policy.name.startsWith(seal)

/** A virtual host in the middle of the deletion: the queues to be deleted are sealed. */
const sealed = () => {
  const vhost = virtualHost()
  converge(desiredFrom(topic, ...[...going, ...staying].map((name) => subscriptionOf(name))), vhost)
  for (let pass = 0; pass < 2; pass += 1) {
    for (const { change } of planOf(some, vhost.observe()).stages.flat()) vhost.apply(change)
  }
  return vhost
}

test('a thousand subscriptions deleted together share a few seals, and nothing of them is left', () => {
  const vhost = virtualHost()
  converge(all, vhost)
  vhost.made.length = 0
  converge(allGoing, vhost)
  expect(vhost.made.filter(isSeal).length).toBeLessThan(20)
  expect(namesIn(vhost.observe())).toEqual(namesIn(emptied().observe()))
  expect(closedIn(vhost.observe())).toEqual([])
  expect(vhost.observe().policies.filter(({ name }) => name.startsWith(seal))).toEqual([])
})

test('a seal closes the queues that are being deleted, and no others', () => {
  expect(closedIn(sealed().observe())).toEqual(queuesOf(...going))
})

test('a queue that is wanted again is opened before any declaration, and others under the same seal are closed again', () => {
  const vhost = sealed()
  const [returning = '', ...others] = going
  const wanted = desiredFrom(
    topic,
    ...others.map((name) => subscriptionOf(name, {}, deleting)),
    ...[returning, ...staying].map((name) => subscriptionOf(name)),
  )
  // It is gone already, as where its queue was deleted in the moment before.
  for (const queue of queuesOf(returning)) vhost.apply({ do: 'delete-queue', queue, only: 'if-empty' })
  const { stages, quiet } = planOf(wanted, vhost.observe())
  expect(stages[0]?.map(({ change }) => change.do)).toEqual(['delete-policy'])
  expect(quiet.size).toBe(0)
  for (const { change } of stages.flat()) vhost.apply(change)
  expect(closedIn(vhost.observe())).toEqual([])
  for (const { change } of planOf(wanted, vhost.observe()).stages.flat()) vhost.apply(change)
  expect(closedIn(vhost.observe())).toEqual(queuesOf(...others))
  converge(wanted, vhost)
  expect(closedIn(vhost.observe())).toEqual([])
})

test('queues that another Broker on the same virtual host has sealed stay sealed', () => {
  const vhost = sealed()
  const [policy] = vhost.observe().policies.filter(({ name }) => name.startsWith(seal))
  const foreign = { ...policy, name: 'waybill:Broker/depot/rabbitmq#seal:x', pattern: '^x$' } as NonNullable<
    typeof policy
  >
  vhost.apply({ do: 'put-policy', policy: foreign })
  converge(some, vhost)
  expect(vhost.observe().policies.filter(({ name }) => name.includes('#seal:'))).toEqual([foreign])
})

test('a seal that a Broker of this installation left behind is lifted from a queue that is wanted', () => {
  const vhost = declaredWith('waybill:Broker/shop/old#seal:x')
  const plan = converge(all, vhost)
  expect(vhost.observe().policies.filter(({ name }) => name.includes('#seal:'))).toEqual([])
  expect(plan.shadowed).toEqual([])
})

test('a seal of another installation on a queue that is wanted is left, and shown', () => {
  const vhost = declaredWith('other:Broker/shop/old#seal:x')
  const plan = planOf(all, vhost.observe())
  expect(plan.stages).toEqual([])
  expect(plan.shadowed.map(({ message }) => message)).toEqual([
    expect.stringContaining('policy other:Broker/shop/old#seal:x closes queue'),
  ])
})

test('a queue is not deleted in the reconcile that seals it, however long it has been quiet', () => {
  const vhost = virtualHost()
  converge(all, vhost)
  const since = new Map(names.flatMap((name) => queuesOf(name)).map((queue) => [queue, 0]))
  const times = { now: 10 * settleMs, quietSince: since, goingSince: new Map() }
  for (const { change } of diff(allGoing, vhost.observe(), times).stages.flat()) vhost.apply(change)
  const { changes, sealing } = diff(allGoing, vhost.observe(), times)
  expect(sealing.length).toBeGreaterThan(0)
  expect(changes).toEqual([])
})

const emptied = () => {
  const vhost = virtualHost()
  converge(desiredFrom(topic), vhost)
  return vhost
}

const declaredWith = (name: string) => {
  const vhost = virtualHost()
  converge(all, vhost)
  const [queue] = names.flatMap((one) => queuesOf(one))
  const definition = { 'max-length': 0, overflow: 'reject-publish' }
  const policy = {
    name,
    pattern: `^${queue?.replaceAll('.', '\\.')}$`,
    applyTo: 'queues',
    priority: 1000,
    definition,
  } as const
  vhost.apply({ do: 'put-policy', policy })
  return vhost
}
