import fc from 'fast-check'
import { idOf, type Resource } from '../../src/api/resource.ts'
import { desired } from '../../src/topology/desired.ts'
import { newestDialect } from '../../src/topology/dialect.ts'
import { ownersOf } from '../../src/topology/owners.ts'
import { resolveReferences } from '../../src/topology/references.ts'
import { anyResources } from './any-world.ts'
import { attachedOf, brokerOf, older, queueOf, resourcesOf, subscriptionOf, topicOf } from './resources.ts'

const all = { from: 'All' }
const brokerRef = { name: 'rabbitmq', namespace: 'shop' }
const shared = (spec: object = {}) => brokerOf('rabbitmq', { allowedNamespaces: all, ...spec })
const topic = (full: string, name: string, spec: object = {}) =>
  topicOf(full, { brokerRef, exchange: { name }, ...spec }, older)
const queue = (full: string, name: string, spec: object = {}) => queueOf(full, { brokerRef, name, ...spec }, older)
const victim = [topicOf('orders'), subscriptionOf('billing')]

/** Of a broker with these objects, by their owners. */
const owning = (objects: Readonly<Record<string, string | undefined>>) => {
  const of = (what: string) =>
    Object.entries(objects)
      .filter(([object]) => object.startsWith(`${what} `))
      .map(([object, owner]) => ({
        name: object.slice(what.length + 1),
        ...{ type: 'topic', durable: true, arguments: owner === undefined ? {} : { 'x-waybill-owner': owner } },
      }))
  return ownersOf({ exchanges: of('exchange'), queues: of('queue') })
}

const refused = (resources: readonly Resource[], onBroker: Readonly<Record<string, string | undefined>> = {}) =>
  desired(
    attachedOf(resourcesOf(...resources)),
    'waybill',
    newestDialect,
    owning({ 'exchange amq.topic': undefined, ...onBroker }),
  ).refusals.map(({ resource, reason, field, message }) => `${idOf(resource)} ${reason} ${field}: ${message}`)

describe('a name that a resource may not have', () => {
  const reserved = "no resource may choose or adopt such a name, which is Waybill's or the broker's own"
  const others = (namespace: string, own: string) =>
    `such names belong to the namespace ${namespace}: choose one that begins with ${own}., or has no dot`
  test.each([
    {
      what: 'a level of the delay ladder as an exchange',
      resources: [shared(), ...victim, topic('shop/a', 'waybill.delay.6s')],
      says: `Topic/shop/a NotPermitted spec.exchange.name: waybill.delay.6s: ${reserved}`,
    },
    {
      what: 'the queue of a subscription, although it is older',
      resources: [shared({ customNames: all }), ...victim, queue('evil/q', 'waybill.sub.shop.billing')],
      says: `Queue/evil/q NotPermitted spec.name: waybill.sub.shop.billing: ${reserved}`,
    },
    {
      what: 'the queue of a subscription, adopted',
      resources: [shared({ adoption: all }), ...victim, queue('shop/q', 'waybill.sub.shop.billing', { adopt: true })],
      says: `Queue/shop/q NotPermitted spec.name: waybill.sub.shop.billing: ${reserved}`,
    },
    {
      what: 'the queue of a subscription, by a namespace that is called so',
      resources: [shared(), ...victim, queueOf('waybill/sub.shop.billing', { brokerRef }, older)],
      says: `Queue/waybill/sub.shop.billing NotPermitted spec.name: waybill.sub.shop.billing: ${reserved}`,
    },
    {
      what: 'a name of its own choosing in another namespace than that of the Broker',
      resources: [shared(), topic('evil/t', 'orders')],
      says: 'Topic/evil/t NotPermitted spec.exchange.name: Broker shop/rabbitmq lets only shop choose names (spec.customNames): leave it out, for evil.t, or choose one that begins with evil.',
    },
    {
      what: 'the exchange of a topic of another namespace, although it is older',
      resources: [shared({ customNames: all }), ...victim, topic('evil/t', 'shop.orders')],
      says: `Topic/evil/t NotPermitted spec.exchange.name: shop.orders: ${others('shop', 'evil')}`,
    },
    {
      what: 'the exchange of a topic that may come one day',
      resources: [shared({ customNames: all }), topic('evil/t', 'depot.orders')],
      says: `Topic/evil/t NotPermitted spec.exchange.name: depot.orders: ${others('depot', 'evil')}`,
    },
    {
      what: 'a name of another namespace that uses the Broker, in the namespace of the Broker',
      resources: [shared(), topicOf('depot/orders', { brokerRef }), queue('shop/q', 'depot.work')],
      says: `Queue/shop/q NotPermitted spec.name: depot.work: ${others('depot', 'shop')}`,
    },
    {
      what: 'a queue to adopt, in another namespace than that of the Broker',
      resources: [shared({ customNames: all }), queue('evil/q', 'payments', { adopt: true })],
      onBroker: { 'queue payments': undefined },
      says: 'Queue/evil/q NotPermitted spec.adopt: Broker shop/rabbitmq lets only shop adopt (spec.adoption): leave it out, or declare this there',
    },
    {
      what: 'a queue to adopt that is called as its own would be',
      resources: [shared(), queueOf('evil/q', { brokerRef, adopt: true })],
      onBroker: { 'queue evil.q': undefined },
      says: 'Queue/evil/q NotPermitted spec.adopt: Broker shop/rabbitmq lets only shop adopt (spec.adoption): leave it out, or declare this there',
    },
  ])('$what is refused, and nothing else', ({ resources, onBroker = {}, says }) => {
    expect(refused(resources, onBroker)).toEqual([says])
  })
})

describe('a name that a resource may have', () => {
  test.each([
    { what: 'any that is no namespace, where the Broker is', resources: [topic('shop/t', 'legacy.orders')] },
    { what: 'one that begins with its own namespace', resources: [topic('depot/t', 'depot.v2.orders')] },
    {
      what: 'one without a dot, where the Broker says All',
      resources: [shared({ customNames: all }), topic('depot/t', 'orders')],
    },
    {
      what: 'what no namespace can be called, where the Broker says All',
      resources: [shared({ customNames: all }), topic('depot/t', 'Legacy.orders')],
    },
    {
      what: 'one of nobody to adopt, where the Broker is, whatever it is called',
      resources: [topicOf('depot/orders', { brokerRef }), queue('shop/q', 'depot.work', { adopt: true })],
      onBroker: { 'queue depot.work': undefined },
    },
    {
      what: 'one to adopt, where the Broker says All',
      resources: [shared({ customNames: all, adoption: all }), queue('depot/q', 'payments', { adopt: true })],
      onBroker: { 'queue payments': undefined },
    },
    {
      what: 'one that it owns on the broker, whatever the rules say now',
      resources: [topic('depot/t', 'shop.v1'), queue('depot/q', 'waybill.mine'), topic('depot/u', 'plain')],
      onBroker: {
        'exchange shop.v1': 'waybill:Topic/depot/t',
        'queue waybill.mine': 'waybill:Queue/depot/q',
        'exchange plain': 'waybill:Topic/depot/u',
      },
    },
  ])('$what', ({ resources, onBroker = {} }) => {
    const isThere = resources.some(({ kind }) => kind === 'Broker')
    expect(refused(isThere ? resources : [shared(), ...resources], onBroker)).toEqual([])
  })
})

describe('who has a name that several ask for', () => {
  const names = (...all: readonly string[]) => all.map((line) => line.split(' ')[0])
  const old = topicOf('a', { exchange: { name: 'shop.orders' } }, older)

  test('a derived name goes to the resource that it is derived from, although another one is older', () => {
    expect(names(...refused([shared(), old, topicOf('orders')]))).toEqual(['Topic/shop/a'])
  })

  test('what the broker says comes first, also where the owner cannot be declared now', () => {
    const holder = queueOf('holder', { name: 'legacy', bindings: [{ topicRef: { name: 'fan' }, routingKeys: ['a'] }] })
    const fan = topicOf('fan', { exchange: { type: 'Fanout' } })
    const found = refused([shared(), fan, holder, queueOf('other', { name: 'legacy' }, older)], {
      'queue legacy': 'waybill:Queue/shop/holder',
    })
    expect(found.map((line) => line.slice(0, line.indexOf(':')))).toEqual([
      'Queue/shop/holder Invalid spec.bindings[0].routingKeys',
      'Queue/shop/other Conflicted spec.name',
    ])
  })

  test('who adopts what nobody owns keeps it when a resource comes whose name it is', () => {
    const adopted = topic('shop/old', 'depot.orders', { adopt: true })
    const found = refused([shared(), adopted, topicOf('depot/orders', { brokerRef })], {
      'exchange depot.orders': undefined,
    })
    expect(found).toEqual([
      'Topic/depot/orders Conflicted spec.exchange.name: exchange depot.orders is already declared by a resource of another namespace: choose another name, or remove one of the two',
    ])
  })

  test('a Broker that lets namespaces by their labels lets those that have them, and says why it does not let others', () => {
    const selector = { matchLabels: { team: 'orders' } }
    const of = (labels: Readonly<Record<string, string>> | undefined, spec: object, adopt = false) => {
      const resources = resourcesOf(shared(spec), topic('evil/t', 'plain', { adopt }))
      const [attached] = resolveReferences(resources, () => labels).attached.values()
      const found = desired(attached!, 'waybill', newestDialect).refusals
      return found.map(({ field, message }) => `${field}: ${message}`)
    }
    const customNames = { from: 'Selector', selector }
    const leave = 'leave it out, for evil.t, or choose one that begins with evil.'
    expect(of({ team: 'orders' }, { customNames })).toEqual([])
    expect(of({ team: 'mail' }, { customNames })).toEqual([
      `spec.exchange.name: Broker shop/rabbitmq lets only shop and namespaces with certain labels choose names (spec.customNames): ${leave}`,
    ])
    expect(of(undefined, { customNames })).toEqual([
      `spec.exchange.name: Broker shop/rabbitmq does not let evil, whose labels Waybill does not know (it needs the right to list namespaces), choose names (spec.customNames): ${leave}`,
    ])
    const adoption = { from: 'Selector', selector }
    expect(of({ team: 'orders' }, { customNames, adoption }, true)).toEqual([])
    expect(of({ team: 'mail' }, { customNames: all, adoption }, true)).toEqual([
      'spec.adopt: Broker shop/rabbitmq lets only shop and namespaces with certain labels adopt (spec.adoption): leave it out, or declare this there',
    ])
  })

  test('a resource that was accepted stays so while its broker cannot be read', () => {
    const before = topic('evil/t', 'plain')
    const status = { conditions: [{ type: 'Accepted', status: 'True' }] } as unknown as typeof before.status
    const of = (resource: Resource) =>
      desired(attachedOf(resourcesOf(shared(), resource)), 'waybill', newestDialect).refusals
    expect(of(before)).toHaveLength(1)
    expect(of({ ...before, status } as Resource)).toEqual([])
  })
})

test('a Subscription to a Queue that is refused does not shape the queue of the one that has the name', () => {
  const thief = [queue('evil/q', 'payments'), subscriptionOf('evil/a', { queueRef: { name: 'q' } }, older)]
  const { policies, refusals } = desired(
    attachedOf(resourcesOf(shared({ customNames: all }), ...thief, queueOf('payments', { name: 'payments' }))),
    'waybill',
    newestDialect,
    owning({ 'queue payments': 'waybill:Queue/shop/payments' }),
  )
  expect(refusals).toHaveLength(2)
  expect(policies.filter(({ want }) => new RegExp(want.pattern).test('payments'))).toEqual([])
})

test('no namespace but that of the Broker ever gets a name that could be of another one', () => {
  fc.assert(
    fc.property(anyResources, (resources) => {
      for (const attached of resolveReferences(resources).attached.values()) {
        const wanted = desired(attached, 'waybill', newestDialect)
        for (const { owner, want } of [...wanted.exchanges, ...wanted.queues]) {
          const namespace = owner.split('/')[1] ?? ''
          if (namespace === 'shop' || want.name.startsWith('waybill.')) continue
          expect(want.name).not.toMatch(/^(?!depot\.)[a-z0-9]+\./)
        }
      }
    }),
  )
})
