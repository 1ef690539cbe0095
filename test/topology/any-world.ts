import fc from 'fast-check'
import type { Resources } from '../../src/api/kinds/resources.ts'
import type { Resource } from '../../src/api/resource.ts'
import type { Desired } from '../../src/topology/desired.ts'
import { ownerArgument } from '../../src/topology/names.ts'
import { limitsOf, retentionPolicies } from '../../src/topology/retention.ts'
import type { Arguments, Observed } from '../../src/topology/topology.ts'
import { brokerOf, deleting, type Meta, policyOf, queueOf, resourcesOf, subscriptionOf, topicOf } from './resources.ts'
import { virtualHost } from './virtual-host.ts'

const name = fc.constantFrom('shop/a', 'shop/b', 'depot/a')
/** Few, so that they meet. */
const brokerName = fc.constantFrom('shared', 'a.b+c', 'shop.a')
const age = fc.integer({ min: 10, max: 28 }).map((day): Meta => ({ creationTimestamp: `2025-02-${day}T00:00:00Z` }))
const leaving = fc.boolean().map((is): Meta => (is ? deleting : {}))
const metadata = fc.tuple(age, leaving).map(([aged, left]): Meta => ({ ...aged, ...left }))
const optional = <T>(key: string, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined }).map((some) => (some === undefined ? {} : { [key]: some }))
const merged = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<object> =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all))
const keys = fc.uniqueArray(fc.constantFrom('#', 'order.*', 'bill.paid'), { minLength: 1 })
const brokerRef = fc.constant({ brokerRef: { name: 'rabbitmq', namespace: 'shop' } })

const topics = merged(
  brokerRef,
  optional('exchange', merged(optional('name', brokerName), optional('type', fc.constantFrom('Topic', 'Fanout')))),
  fc.constant({ allowedSubscribers: { from: 'All' } }),
  optional('unrouted', fc.constantFrom('Park', 'Drop')),
  optional('adopt', fc.boolean()),
  optional('deletionPolicy', fc.constantFrom('Retain', 'Delete')),
)
const topicRef = name.map((full) => {
  const [namespace = '', own = ''] = full.split('/')
  return { topicRef: { name: own, namespace } }
})
const retaining = optional('deletionPolicy', fc.constantFrom('RetainIfNotEmpty', 'Retain', 'Delete'))
const queues = merged(
  brokerRef,
  optional('name', brokerName),
  optional('type', fc.constantFrom('Quorum', 'Classic')),
  optional('maxLength', fc.constant(5)),
  optional('bindings', fc.array(merged(topicRef, optional('routingKeys', keys)), { maxLength: 2 })),
  optional('adopt', fc.boolean()),
  retaining,
)
const subscriptions = merged(
  fc.oneof(
    merged(topicRef, optional('filter', merged(optional('routingKeys', keys)))),
    fc.constantFrom('a', 'b').map((own) => ({ queueRef: { name: own } })),
  ),
  optional(
    'delivery',
    fc.constantFrom('1s', '7s').map((wait) => ({ retry: { schedule: [wait] } })),
  ),
  retaining,
)
const policies = merged(fc.constant({ default: true, retention: { maxLength: 9 } }))

const several = <T extends Resource>(make: (full: string, spec: object, meta: Meta) => T, spec: fc.Arbitrary<object>) =>
  fc
    .uniqueArray(fc.tuple(name, spec, metadata), { maxLength: 3, selector: ([full]) => full })
    .map((all) => all.map(([full, each, meta]) => make(full, each, meta)))

const everybody = { from: 'All' }
const openToAll = { allowedNamespaces: everybody, customNames: everybody, adoption: everybody }

/** Resources that are each valid, together anything. */
export const anyResources: fc.Arbitrary<Resources> = fc
  .tuple(
    several(topicOf, topics),
    several(queueOf, queues),
    several(subscriptionOf, subscriptions),
    several(policyOf, policies),
  )
  .map((all) => resourcesOf(brokerOf('rabbitmq', openToAll), ...all.flat()))

const owners = ['waybill:Subscription/shop/a', 'waybill:Topic/shop/unknown', 'other:Topic/shop/a', 7, undefined]

/**
 * A virtual host on which somebody made objects by all the names that `wanted` has, and others: whose they are, what
 * they are and what they hold is anything.
 */
export const anyVhost = (wanted: Desired) => {
  const right = <T extends { readonly arguments: Arguments }>(all: readonly { readonly want: T }[]): T[] =>
    all.map(({ want }) => want)
  const owned = (args: Arguments): fc.Arbitrary<Arguments> =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(args) },
      fc.constantFrom(...owners).map((owner): Arguments => {
        const { [ownerArgument]: _, ...rest } = args
        return owner === undefined ? rest : { ...rest, [ownerArgument]: owner }
      }),
      fc.constant<Arguments>({ ...args, 'x-max-length': 3 }),
      fc.constant<Arguments>({}),
    )
  const some = <T>(all: readonly T[], change: (one: T) => fc.Arbitrary<T>) =>
    fc.subarray([...all]).chain((chosen) => fc.tuple(...chosen.map(change)))
  const more = fc.constantFrom('shared', 'a.b+c', 'axb+c', 'foreign', 'waybill.sub.shop.old', 'waybill.dlq.shop.a')
  const named = <T extends { readonly name: string }>(all: readonly T[]): T[] => [
    ...new Map(all.map((one) => [one.name, one])).values(),
  ]
  return fc
    .record({
      exchanges: some(right(wanted.exchanges), (one) =>
        fc.tuple(owned(one.arguments), fc.constantFrom('topic' as const, one.type)).map(([args, type]) => ({
          ...one,
          arguments: args,
          type,
        })),
      ),
      queues: some(right(wanted.queues), (one) => owned(one.arguments).map((args) => ({ ...one, arguments: args }))),
      foreign: fc.uniqueArray(
        more.chain((own) => owned({}).map((args) => ({ name: own, durable: true, arguments: args }))),
        { selector: (one) => one.name },
      ),
      bindings: some(right(wanted.bindings), (one) =>
        fc
          .tuple(owned(one.arguments), fc.constantFrom('#', 'order.*', 'old', one.routingKey))
          .map(([args, routingKey]) => ({ ...one, arguments: args, routingKey })),
      ),
      policies: some(
        [
          ...wanted.policies.map(({ want }) => want),
          ...retentionPolicies(wanted.broker, limitsOf(wanted.broker, wanted.retentions, [])),
        ],
        (one) => fc.constantFrom(one, { ...one, priority: 1 }),
      ),
      full: fc.array(fc.integer({ min: 0, max: 2 })),
    })
    .map(({ exchanges, queues, foreign, bindings, policies, full }) => {
      const all = named([...queues, ...foreign])
      const existing = new Set(all.map((one) => one.name))
      const sources = new Set(exchanges.map((one) => one.name))
      return virtualHost({
        exchanges,
        queues: all,
        bindings: bindings.filter((one) => sources.has(one.source) && existing.has(one.destination)),
        policies,
        messages: Object.fromEntries(all.map((one, index) => [one.name, full[index % Math.max(1, full.length)] ?? 0])),
      })
    })
}

export type Owned = Observed['queues'][number] | Observed['exchanges'][number] | Observed['bindings'][number]
export const ownerOf = (object: Owned): unknown => object.arguments[ownerArgument]
