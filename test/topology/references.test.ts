import fc from 'fast-check'
import type { Resource } from '../../src/api/resource.ts'
import { idOf } from '../../src/api/resource.ts'
import { resolveReferences, type Unresolved, unknownPolicies } from '../../src/topology/references.ts'
import { brokerOf, deleting, older, policyOf, queueOf, resourcesOf, subscriptionOf, topicOf } from './resources.ts'

const unresolvedOf = (...all: Resource[]): string[] =>
  resolveReferences(resourcesOf(...all)).unresolved.map(
    ({ resource, field, message }: Unresolved) => `${idOf(resource)} ${field}: ${message}`,
  )

const elsewhere = { brokerRef: { name: 'rabbitmq', namespace: 'shop' } }
const missing = (kind: string, name: string) => `${kind} ${name} does not exist: create it, or correct the name`
const refused = (kind: string, name: string, field: string) =>
  `${kind} ${name} does not exist or does not permit this reference: its owner permits it by spec.${field}.from: All`

describe('a reference', () => {
  test.each([
    {
      name: 'to a broker that is not there',
      all: [topicOf('orders', { brokerRef: { name: 'other' } })],
      found: [`Topic/shop/orders spec.brokerRef: ${missing('Broker', 'shop/other')}`],
    },
    {
      name: 'to a broker of another namespace that says nothing about it',
      all: [topicOf('depot/orders', elsewhere)],
      found: [`Topic/depot/orders spec.brokerRef: ${refused('Broker', 'shop/rabbitmq', 'allowedNamespaces')}`],
    },
    {
      name: 'to a broker of another namespace that permits it',
      all: [brokerOf('rabbitmq', { allowedNamespaces: { from: 'All' } }), topicOf('depot/orders', elsewhere)],
      found: [],
    },
    {
      name: 'to a topic that is not there',
      all: [subscriptionOf('billing')],
      found: [`Subscription/shop/billing spec.topicRef: ${missing('Topic', 'shop/orders')}`],
    },
    {
      name: 'to a topic of another namespace that says nothing about it',
      all: [topicOf('orders'), subscriptionOf('depot/billing', { topicRef: { name: 'orders', namespace: 'shop' } })],
      found: [`Subscription/depot/billing spec.topicRef: ${refused('Topic', 'shop/orders', 'allowedSubscribers')}`],
    },
    {
      name: 'to a topic of another namespace that permits it: the broker has permitted the topic',
      all: [
        topicOf('orders', { allowedSubscribers: { from: 'All' } }),
        subscriptionOf('depot/billing', { topicRef: { name: 'orders', namespace: 'shop' } }),
      ],
      found: [],
    },
    {
      name: 'to a topic whose own reference leads to nothing',
      all: [topicOf('orders', { brokerRef: { name: 'other' } }), subscriptionOf('billing')],
      found: [
        `Topic/shop/orders spec.brokerRef: ${missing('Broker', 'shop/other')}`,
        `Subscription/shop/billing spec.topicRef: ${missing('Broker', 'shop/other')}`,
      ],
    },
    {
      name: 'to a queue that is not there',
      all: [subscriptionOf('billing', { queueRef: { name: 'work' } })],
      found: [`Subscription/shop/billing spec.queueRef: ${missing('Queue', 'shop/work')}`],
    },
    {
      name: 'of the second binding of a queue',
      all: [
        topicOf('orders'),
        queueOf('work', { bindings: [{ topicRef: { name: 'orders' } }, { topicRef: { name: 'bills' } }] }),
      ],
      found: [`Queue/shop/work spec.bindings[1].topicRef: ${missing('Topic', 'shop/bills')}`],
    },
    {
      name: 'of a queue to a topic on another broker',
      all: [
        brokerOf('rabbitmq'),
        brokerOf('second'),
        topicOf('orders', { brokerRef: { name: 'second' } }),
        queueOf('work', { bindings: [{ topicRef: { name: 'orders' } }] }),
      ],
      found: ['Queue/shop/work spec.bindings[0].topicRef: Topic shop/orders is on another Broker than this queue'],
    },
  ])('a reference resolves or is reported with its reason: one $name', ({ all, found }) => {
    expect(unresolvedOf(...all)).toEqual(found)
  })

  test('a reference that is not permitted is reported like one to nothing, so that nobody can probe for names', () => {
    const subscription = subscriptionOf('depot/billing', { topicRef: { name: 'orders', namespace: 'shop' } })
    const missing = unresolvedOf(subscription)
    expect(missing).toHaveLength(1)
    expect(unresolvedOf(subscription, topicOf('orders'))).toEqual(missing)
  })

  test('a reference to nothing does not affect other resources', () => {
    const { attached } = resolveReferences(
      resourcesOf(topicOf('orders'), subscriptionOf('billing'), subscriptionOf('lost', { topicRef: { name: 'x' } })),
    )
    expect(attached.get('shop/rabbitmq')?.subscriptions.map(({ subscription }) => subscription.metadata.name)).toEqual([
      'billing',
    ])
  })
})

describe('the dead-letter policy of a subscription', () => {
  test('what names a policy that is not there is attached all the same, and says so; one of another namespace is not there', () => {
    const missing = { deadLetterPolicyRef: { name: 'keep' } }
    const { attached, unresolved } = resolveReferences(
      resourcesOf(
        ...[topicOf('orders'), policyOf('depot/keep'), policyOf('usual', { default: true })],
        ...[queueOf('work', missing), subscriptionOf('billing', missing)],
      ),
    )
    expect(unresolved).toEqual([])
    const [only] = attached.values()
    expect([...(only?.queues ?? []), ...(only?.subscriptions ?? [])].map(({ policy }) => policy)).toEqual([
      undefined,
      undefined,
    ])
    const message = 'DeadLetterPolicy shop/keep does not exist: the dead-letter queue stays as it is until it does'
    expect(unknownPolicies(attached.values())).toMatchObject([
      { resource: { kind: 'Queue' }, field: 'spec.deadLetterPolicyRef', message },
      { resource: { kind: 'Subscription' }, field: 'spec.deadLetterPolicyRef', message },
    ])
  })

  const policyOfBilling = (...all: Resource[]): string | undefined =>
    resolveReferences(resourcesOf(topicOf('orders'), ...all)).attached.get('shop/rabbitmq')?.subscriptions[0]?.policy
      ?.metadata.name

  test.each([
    { name: 'none', all: [policyOf('keep'), subscriptionOf('billing')], found: undefined },
    {
      name: 'the one it names',
      all: [
        policyOf('keep'),
        policyOf('usual', { default: true }),
        subscriptionOf('billing', { deadLetterPolicyRef: { name: 'keep' } }),
      ],
      found: 'keep',
    },
    {
      name: 'the oldest default of its namespace',
      all: [
        policyOf('a', { default: true }),
        policyOf('b', { default: true }, older),
        policyOf('depot/c', { default: true }, older),
        subscriptionOf('billing'),
      ],
      found: 'b',
    },
    {
      name: 'not a default that is going',
      all: [policyOf('a', { default: true }, deleting), subscriptionOf('billing')],
      found: undefined,
    },
  ])('the dead-letter policy of a subscription is $name', ({ all, found }) => {
    expect(policyOfBilling(...all)).toBe(found)
  })
})

test('attached resources are sorted oldest first, whatever the order of the list', () => {
  const day = (index: number) => ({ creationTimestamp: `2025-02-${10 + index}T00:00:00Z` })
  const topics = Array.from({ length: 6 }, (_, index) => topicOf(`topic-${5 - index}`, {}, day(index)))
  const twins = ['b', 'a'].map((name) => topicOf(name, {}, day(9)))
  fc.assert(
    fc.property(fc.shuffledSubarray([...topics, ...twins], { minLength: 8 }), (shuffled) => {
      const names = resolveReferences(resourcesOf(...shuffled))
        .attached.get('shop/rabbitmq')
        ?.topics.map((one) => one.metadata.name)
      expect(names).toEqual(['topic-5', 'topic-4', 'topic-3', 'topic-2', 'topic-1', 'topic-0', 'a', 'b'])
    }),
  )
})
