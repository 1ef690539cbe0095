import fc from 'fast-check'
import type { Resource } from '../../src/api/resource.ts'
import { idOf } from '../../src/api/resource.ts'
import { type Desired, desired } from '../../src/topology/desired.ts'
import { newestDialect } from '../../src/topology/dialect.ts'
import { ownersOf } from '../../src/topology/owners.ts'
import { resolveReferences } from '../../src/topology/references.ts'
import { anyResources } from './any-world.ts'
import {
  brokerOf,
  deleting,
  desiredFrom,
  desiredOf,
  older,
  policyOf,
  queueOf,
  resourcesOf,
  subscriptionOf,
  topicOf,
} from './resources.ts'

const owner = 'waybill:Subscription/shop/billing'
const of = <T>(list: readonly { readonly owner: string; readonly want: T }[], owner: string): T[] =>
  list.filter((one) => one.owner === owner).map(({ want }) => want)
const refusalsOf = ({ refusals }: Desired): string[] =>
  refusals.map(({ resource, reason, field, message }) => `${idOf(resource)} ${reason} ${field}: ${message}`)
const refusedAmong = (...all: Resource[]): string[] => refusalsOf(desiredFrom(...all))

describe('what a subscription wants', () => {
  const wanted = desiredFrom(
    topicOf('orders'),
    subscriptionOf('billing', { filter: { routingKeys: ['order.placed', 'order.*'] } }),
  )
  const owned = { 'x-waybill-owner': owner }

  test('a subscription wants a queue for events and one for retries that dead-letter, and a dead-letter queue without limits', () => {
    expect(of(wanted.queues, owner)).toEqual([
      {
        name: 'waybill.sub.shop.billing',
        durable: true,
        arguments: {
          'x-queue-type': 'quorum',
          'x-dead-letter-exchange': '',
          'x-dead-letter-routing-key': 'waybill.dlq.shop.billing',
          'x-overflow': 'reject-publish',
          ...owned,
        },
      },
      {
        name: 'waybill.retry.shop.billing',
        durable: true,
        arguments: {
          'x-queue-type': 'quorum',
          'x-dead-letter-exchange': '',
          'x-dead-letter-routing-key': 'waybill.dlq.shop.billing',
          'x-overflow': 'reject-publish',
          ...owned,
        },
      },
      {
        name: 'waybill.dlq.shop.billing',
        durable: true,
        arguments: { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish', ...owned },
      },
    ])
  })

  test('a subscription wants a binding for its events, and one for its messages that return from the delay queues', () => {
    expect(of(wanted.bindings, owner)).toEqual(
      [
        ['waybill.return', 'waybill.retry.shop.billing', 'waybill.retry.shop.billing'],
        ['waybill.return', 'waybill.sub.shop.billing'],
        ['shop.orders', 'order.placed'],
        ['shop.orders', 'order.*'],
      ].map(([source, routingKey, destination = 'waybill.sub.shop.billing']) => ({
        source,
        destination,
        routingKey,
        arguments: owned,
      })),
    )
  })

  test('a subscription wants all events of a fanout topic, and the events with its headers of a headers topic', () => {
    const bindingsWith = (type: string, filter: object) =>
      of(
        desiredFrom(topicOf('orders', { exchange: { type } }), subscriptionOf('billing', { filter })).bindings,
        owner,
      ).slice(2)
    expect(bindingsWith('Fanout', {})).toMatchObject([{ routingKey: '', arguments: owned }])
    expect(bindingsWith('Headers', { headers: { region: 'eu' } })).toMatchObject([
      { routingKey: '', arguments: { 'x-match': 'all', region: 'eu', ...owned } },
    ])
  })

  test('a subscription that pushes from a Queue wants a queue for retries, which do not go back there, and a dead-letter queue', () => {
    const pushing = desiredFrom(queueOf('work'), subscriptionOf('billing', { queueRef: { name: 'work' } }))
    expect(of(pushing.queues, owner).map(({ name }) => name)).toEqual([
      'waybill.retry.shop.billing',
      'waybill.dlq.shop.billing',
    ])
    expect(of(pushing.bindings, owner)).toMatchObject([
      { source: 'waybill.return', destination: 'waybill.retry.shop.billing' },
      { source: 'waybill.return', destination: 'shop.work', routingKey: 'shop.work' },
    ])
  })
})

describe('what a topic wants', () => {
  const names = (spec: object) => {
    const wanted = desiredFrom(topicOf('orders', spec))
    const owner = 'waybill:Topic/shop/orders'
    return [...of(wanted.exchanges, owner), ...of(wanted.queues, owner)].map(({ name }) => name)
  }
  test('a topic wants a queue for events that no subscription wants yet', () => {
    expect(names({})).toEqual(['shop.orders', 'waybill.unrouted.shop.orders', 'waybill.unrouted.shop.orders'])
  })
  test('a topic that drops unrouted events wants no queue for them', () => {
    expect(names({ unrouted: 'Drop' })).toEqual(['shop.orders', 'waybill.unrouted.shop.orders'])
  })
})

describe('policies that are wanted', () => {
  const policiesOf = (wanted: Desired) => wanted.policies.map(({ want }) => [want.name, want.pattern, want.definition])
  test('two policies lift the delivery limit of classes of queues, as the version can, and none where there is no limit', () => {
    const all = resourcesOf(topicOf('orders'), subscriptionOf('billing'))
    const lifting = (limit: number) => [
      ['waybill:sub', '^waybill\\.(sub|retry)\\.', { 'delivery-limit': limit }],
      [
        'waybill:kept',
        '^waybill\\.(dlq|unrouted|delay)\\.|^waybill\\.(orphans|discarded)$',
        { 'delivery-limit': limit },
      ],
    ]
    expect(policiesOf(desiredOf(all, '3.13.7'))).toEqual([])
    expect(policiesOf(desiredOf(all, '4.2.1'))).toEqual(lifting(2_147_483_647))
    expect(policiesOf(desiredOf(all, '4.3.6'))).toEqual(lifting(-1))
  })

  test('the policy of an adopted exchange parks its unrouted events, with the lowest priority', () => {
    const wanted = desiredFrom(topicOf('old', { adopt: true }), topicOf('dropping', { adopt: true, unrouted: 'Drop' }))
    expect(of(wanted.policies, 'waybill:Topic/shop/old')).toEqual([
      {
        name: 'waybill:Topic/shop/old',
        pattern: '^shop\\.old$',
        applyTo: 'exchanges',
        priority: -1,
        definition: { 'alternate-exchange': 'waybill.unrouted.shop.old' },
      },
    ])
    expect(of(wanted.policies, 'waybill:Topic/shop/dropping')).toEqual([])
  })

  test('a queue has its own policy only if it has settings, and dead-letter queues have limits of their DeadLetterPolicy', () => {
    const wanted = desiredFrom(
      topicOf('orders'),
      policyOf('short', { retention: { maxAge: '1h', maxLength: 5, whenFull: 'DropOldest' } }),
      subscriptionOf('billing', { deadLetterPolicyRef: { name: 'short' } }),
      queueOf('work', { messageTTL: '1m', maxLength: 7, overflow: 'RejectPublish', deliveryLimit: 3 }),
    )
    expect(policiesOf(wanted).slice(2)).toEqual([
      [
        'waybill:Queue/shop/work',
        '^shop\\.work$',
        { 'message-ttl': 60_000, 'max-length': 7, overflow: 'reject-publish', 'delivery-limit': 3 },
      ],
    ])
    const definition = { 'message-ttl': 3_600_000, 'max-length': 5, overflow: 'drop-head', 'delivery-limit': -1 }
    expect(wanted.retentions).toEqual([{ owner, queue: 'waybill.dlq.shop.billing', definition }])
  })
})

describe('refused resources', () => {
  const legacy = { exchange: { name: 'legacy' } }
  const all = { from: 'All' }
  const everywhere = brokerOf('rabbitmq', { allowedNamespaces: all, customNames: all })
  const brokerRef = { name: 'rabbitmq', namespace: 'shop' }
  test.each([
    {
      name: 'the younger of two topics with one exchange',
      all: [topicOf('young', legacy), topicOf('old', legacy, older)],
      found: [
        'Topic/shop/young Conflicted spec.exchange.name: exchange legacy is already declared by Topic/shop/old: choose another name, or remove one of the two',
      ],
    },
    {
      name: 'the younger of two queues with one name',
      all: [queueOf('young', { name: 'legacy' }), queueOf('old', { name: 'legacy' }, older)],
      found: [
        'Queue/shop/young Conflicted spec.name: queue legacy is already declared by Queue/shop/old: choose another name, or remove one of the two',
      ],
    },
    {
      name: 'the second subscription that pushes from a queue',
      all: [
        queueOf('work'),
        subscriptionOf('a', { queueRef: { name: 'work' } }),
        subscriptionOf('b', { queueRef: { name: 'work' } }),
      ],
      found: [
        'Subscription/shop/b Conflicted spec.queueRef: queue shop.work is already delivered by Subscription/shop/a: two would share its messages at random',
      ],
    },
    {
      name: 'a subscription with routing keys to a fanout topic',
      all: [
        topicOf('orders', { exchange: { type: 'Fanout' } }),
        subscriptionOf('a', { filter: { routingKeys: ['order.*'] } }),
      ],
      found: [
        'Subscription/shop/a Invalid spec.filter.routingKeys: exchange shop.orders has type Fanout, which ignores routing keys',
      ],
    },
    {
      name: 'a queue bound to a headers topic with routing keys',
      all: [
        topicOf('orders', { exchange: { type: 'Headers' } }),
        queueOf('all', { bindings: [{ topicRef: { name: 'orders' } }] }),
        queueOf('some', { bindings: [{ topicRef: { name: 'orders' }, routingKeys: ['order.*'] }] }),
      ],
      found: [
        'Queue/shop/some Invalid spec.bindings[0].routingKeys: exchange shop.orders has type Headers, which ignores routing keys: leave them out',
      ],
    },
    {
      name: 'a subscription with headers to a topic exchange',
      all: [topicOf('orders'), subscriptionOf('a', { filter: { headers: { region: 'eu' } } })],
      found: [
        'Subscription/shop/a Invalid spec.filter.headers: exchange shop.orders has type Topic: filtering by headers needs a Topic with exchange.type Headers',
      ],
    },
    {
      // Else a namespace could read the events of another through a Topic that merely names its exchange.
      name: 'everything that reads through a refused topic',
      all: [
        everywhere,
        topicOf('orders', { exchange: { name: 'taken' } }, older),
        topicOf('depot/spy', { brokerRef, exchange: { name: 'taken' } }),
        subscriptionOf('depot/reader', { topicRef: { name: 'spy' } }),
        queueOf('depot/copy', { brokerRef, bindings: [{ topicRef: { name: 'spy' } }] }),
      ],
      found: [
        'Topic/depot/spy Conflicted spec.exchange.name: exchange taken is already declared by a resource of another namespace: choose another name, or remove one of the two',
        'Queue/depot/copy Invalid spec.bindings[0].topicRef: Topic/depot/spy is not accepted or being deleted: see its status',
        'Subscription/depot/reader Invalid spec.topicRef: Topic/depot/spy is not accepted or being deleted: see its status',
      ],
    },
    {
      name: 'everything that reads through a refused topic, also while that is being deleted',
      all: [
        everywhere,
        topicOf('orders', { exchange: { name: 'taken' } }, older),
        topicOf('depot/spy', { brokerRef, exchange: { name: 'taken' } }, deleting),
        subscriptionOf('depot/reader', { topicRef: { name: 'spy' } }),
      ],
      found: [
        'Subscription/depot/reader Invalid spec.topicRef: Topic/depot/spy is not accepted or being deleted: see its status',
      ],
    },
    {
      name: 'a subscription that pushes from a queue that is refused',
      all: [
        queueOf('old', { name: 'legacy' }, older),
        queueOf('young', { name: 'legacy' }),
        subscriptionOf('a', { queueRef: { name: 'young' } }),
      ],
      found: [
        'Queue/shop/young Conflicted spec.name: queue legacy is already declared by Queue/shop/old: choose another name, or remove one of the two',
        'Subscription/shop/a Invalid spec.queueRef: Queue/shop/young is not accepted or being deleted: see its status',
      ],
    },
  ])('a conflict or an invalid reference refuses $name', ({ all, found }) => {
    expect(refusedAmong(...all)).toEqual(found)
  })

  test('the resource that owns the name on the broker is never refused, even if another resource is older', () => {
    const twin = { exchange: { name: 'legacy' } }
    const all = resourcesOf(
      topicOf('a', twin, older),
      topicOf('b', twin),
      queueOf('a'),
      queueOf('b', { name: 'shop.a' }),
    )
    const owners = ownersOf({
      exchanges: [{ name: 'legacy', type: 'topic', arguments: { 'x-waybill-owner': 'waybill:Topic/shop/b' } }],
      queues: [{ name: 'shop.a', durable: true, arguments: { 'x-waybill-owner': 'waybill:Queue/shop/b' } }],
    })
    const { attached } = resolveReferences(all)
    const [entry] = attached.values()
    if (entry === undefined) throw new Error('There is no broker')
    const { refusals } = desired(entry, 'waybill', newestDialect, owners)
    expect(refusals.map(({ resource }) => idOf(resource))).toEqual(['Topic/shop/a', 'Queue/shop/a'])
  })

  test('a refused resource wants nothing, so that its objects stay as they are', () => {
    const wanted = desiredFrom(topicOf('orders', {}, older), topicOf('copy', { exchange: { name: 'shop.orders' } }))
    expect([...wanted.owners.keys()]).toEqual(['waybill:Broker/shop/rabbitmq', 'waybill:Topic/shop/orders'])
  })
})

describe('a resource that is being deleted', () => {
  test.each([
    {
      of: 'a subscription',
      all: [topicOf('orders'), subscriptionOf('billing', {}, deleting)],
      how: 'RetainIfNotEmpty',
    },
    {
      of: 'a subscription that says Delete',
      all: [topicOf('orders'), subscriptionOf('billing', { deletionPolicy: 'Delete' }, deleting)],
      how: 'Delete',
    },
    { of: 'a topic', all: [topicOf('orders', {}, deleting)], how: 'Retain' },
    {
      of: 'an adopted topic',
      all: [topicOf('orders', { adopt: true, deletionPolicy: 'Delete' }, deleting)],
      how: 'Retain',
    },
    {
      of: 'an adopted queue',
      all: [queueOf('work', { adopt: true, deletionPolicy: 'Delete' }, deleting)],
      how: 'Retain',
    },
    { of: 'a broker', all: [brokerOf('rabbitmq', {}, deleting)], how: 'Retain' },
    {
      of: 'a broker that says Delete',
      all: [brokerOf('rabbitmq', { deletionPolicy: 'Delete' }, deleting)],
      how: 'RetainIfNotEmpty',
    },
  ])('$of that is being deleted wants nothing, and is retired by its deletion policy', ({ all, how }) => {
    const wanted = desiredFrom(...all)
    const id = idOf(all.at(-1)!)
    expect(wanted.owners.get(`waybill:${id}`)).toBe(how)
    expect([...wanted.queues, ...wanted.exchanges, ...wanted.bindings].map((one) => one.owner)).not.toContain(
      `waybill:${id}`,
    )
  })
})

test('no two resources want the same name, and each wanted object has an owner that is present', () => {
  fc.assert(
    fc.property(anyResources, (resources) => {
      for (const attached of resolveReferences(resources).attached.values()) {
        const wanted = desired(attached, 'waybill', newestDialect)
        for (const list of [wanted.queues, wanted.exchanges]) {
          const names = list.map(({ want }) => want.name)
          expect(new Set(names).size).toBe(names.length)
        }
        for (const { owner } of [...wanted.queues, ...wanted.exchanges, ...wanted.bindings, ...wanted.policies]) {
          expect(wanted.owners.get(owner)).toBe('present')
        }
      }
    }),
  )
})
