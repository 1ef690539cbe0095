import fc from 'fast-check'
import { isDeleting, type Resource } from '../../src/api/resource.ts'
import type { Change } from '../../src/topology/change.ts'
import { type Desired, desired } from '../../src/topology/desired.ts'
import { newestDialect } from '../../src/topology/dialect.ts'
import type { Plan } from '../../src/topology/diff.ts'
import { concerning, type Retained, retainedOn } from '../../src/topology/health/retained.ts'
import { resolveReferences } from '../../src/topology/references.ts'
import { type Arguments, bindingKey } from '../../src/topology/topology.ts'
import { anyResources, anyVhost, ownerOf } from './any-world.ts'
import { brokerOf, desiredFrom, policyOf, queueOf, subscriptionOf, topicOf } from './resources.ts'
import { converge, planOf, type VirtualHost, virtualHost } from './virtual-host.ts'

const shop = [topicOf('orders'), subscriptionOf('billing'), queueOf('work', { maxLength: 5 })]
const owner = 'waybill:Subscription/shop/billing'

/** A virtual host on which these resources are declared. */
const declared = (...all: Resource[]): VirtualHost => {
  const vhost = virtualHost()
  converge(desiredFrom(...all), vhost)
  vhost.made.length = 0
  return vhost
}
const changesOf = (plan: Plan): Change[] => plan.stages.flat().map(({ change }) => change)
const conflictsOf = (plan: Plan): string[] => plan.conflicts.map((one) => `${one.owner} ${one.reason}: ${one.message}`)
const planFor = (vhost: VirtualHost, ...all: Resource[]): Plan => planOf(desiredFrom(...all), vhost.observe())

describe('a broker that has everything as declared', () => {
  test('a broker that has everything as declared needs no change', () => {
    expect(planFor(declared(...shop), ...shop)).toMatchObject({ stages: [], conflicts: [], shadowed: [] })
  })

  test.each<{ what: string; change: Change; repaired: string[] }>([
    {
      what: 'queue',
      change: { do: 'delete-queue', queue: 'waybill.sub.shop.billing', only: 'whatever-it-holds' },
      repaired: ['declare-queue', 'bind', 'bind'],
    },
    {
      what: 'exchange',
      change: { do: 'delete-exchange', exchange: 'shop.orders' },
      repaired: ['declare-exchange', 'bind'],
    },
    { what: 'policy', change: { do: 'delete-policy', policy: 'waybill:sub' }, repaired: ['put-policy'] },
    {
      what: 'policy of one queue',
      change: {
        do: 'put-policy',
        policy: {
          name: 'waybill:Queue/shop/work',
          pattern: '.*',
          applyTo: 'all',
          priority: 1,
          definition: { 'max-length': 1 },
        },
      },
      repaired: ['put-policy'],
    },
  ])('a $what that somebody deleted or changed on the broker is repaired', ({ change, repaired }) => {
    const vhost = declared(...shop)
    vhost.apply(change)
    expect(changesOf(planFor(vhost, ...shop)).map((one) => one.do)).toEqual(repaired)
    expect(converge(desiredFrom(...shop), vhost).conflicts).toEqual([])
  })
})

describe('the order of changes', () => {
  test('objects are declared before they are bound, and new bindings made before old ones are removed', () => {
    const vhost = declared(...shop)
    const filtered = subscriptionOf('billing', { filter: { routingKeys: ['order.*'] } })
    const plan = planFor(vhost, topicOf('orders'), topicOf('bills'), filtered, queueOf('work', { maxLength: 5 }))
    expect(plan.stages.map((stage) => stage.map(({ change }) => change.do))).toEqual([
      ['declare-exchange', 'declare-exchange', 'declare-queue'],
      ['bind', 'bind'],
      ['unbind'],
    ])
  })

  test('policies of a class of queues are put before its first queue is declared', () => {
    const [first = [], ...later] = planFor(virtualHost(), ...shop).stages
    expect(new Set(first.map(({ change }) => change.do))).toEqual(new Set(['put-policy']))
    expect(later[0]?.map(({ change }) => change.do)).toContain('declare-queue')
  })

  test('a subscription with a conflict keeps its old bindings', () => {
    const vhost = declared(topicOf('orders'))
    vhost.apply({
      do: 'declare-queue',
      queue: { name: 'waybill.sub.shop.billing', durable: true, arguments: { 'x-waybill-owner': owner } },
    })
    const old = { source: 'shop.orders', destination: 'waybill.sub.shop.billing', routingKey: 'old' }
    vhost.apply({ do: 'bind', binding: { ...old, arguments: { 'x-waybill-owner': owner } } })
    const plan = planFor(vhost, topicOf('orders'), subscriptionOf('billing'))
    expect(plan.conflicts).toMatchObject([{ owner, reason: 'ImmutableArgument' }])
    expect(changesOf(plan)).toEqual([])
  })
})

describe('an object that already has a wanted name', () => {
  const found = (queue: Arguments, spec: object = {}): string[] => {
    const vhost = declared()
    vhost.apply({ do: 'declare-queue', queue: { name: 'shop.work', durable: true, arguments: queue } })
    return conflictsOf(planFor(vhost, queueOf('work', { maxLength: 5, ...spec })))
  }
  const quorum = { 'x-queue-type': 'quorum' }
  const owner = { 'x-waybill-owner': 'waybill:Queue/shop/work' }
  const other = { 'x-waybill-owner': 'waybill:Queue/depot/work' }

  test.each([
    { name: 'that is ours', queue: { ...quorum, ...owner }, conflicts: [] },
    {
      name: 'with other arguments',
      queue: { 'x-queue-type': 'classic', 'x-max-length': 3, ...owner },
      conflicts: [
        'waybill:Queue/shop/work ImmutableArgument: queue shop.work exists with other immutable arguments (x-queue-type is classic, wanted quorum; x-max-length is 3, wanted not set): delete it once it is empty, or choose another name',
      ],
    },
    {
      name: 'of another resource',
      queue: { ...quorum, ...other },
      conflicts: [
        'waybill:Queue/shop/work ClaimedByAnother: queue shop.work belongs to a resource of another namespace: choose another name',
      ],
    },
    {
      name: 'of another resource, which cannot be adopted either',
      queue: { ...quorum, ...other },
      spec: { adopt: true },
      conflicts: [
        'waybill:Queue/shop/work ClaimedByAnother: queue shop.work belongs to a resource of another namespace: choose another name',
      ],
    },
    {
      name: 'of nobody',
      queue: quorum,
      conflicts: [
        'waybill:Queue/shop/work NotClaimed: queue shop.work exists and was not declared by Waybill: set spec.adopt: true to use it, or choose another name',
      ],
    },
    {
      name: 'of nobody that is adopted, whatever its arguments',
      queue: { ...quorum, 'x-max-length': 9 },
      spec: { adopt: true },
      conflicts: [],
    },
    {
      name: 'of nobody that is adopted as a classic one, which needs no argument',
      queue: {},
      spec: { adopt: true, type: 'Classic' },
      conflicts: [],
    },
    {
      name: 'of nobody and of another type',
      queue: { 'x-queue-type': 'classic' },
      spec: { adopt: true },
      conflicts: [
        'waybill:Queue/shop/work ImmutableArgument: queue shop.work has type classic, not quorum: create this resource again with that type, or choose another name',
      ],
    },
    {
      // Read as a queue, it would lose what is published while nobody reads.
      name: 'of nobody that is a stream',
      queue: { 'x-queue-type': 'stream' },
      spec: { adopt: true },
      conflicts: [
        'waybill:Queue/shop/work ImmutableArgument: queue shop.work has type stream, not quorum: choose another name',
      ],
    },
    {
      name: 'of another installation',
      queue: { ...quorum, 'x-waybill-owner': 'second:Queue/shop/other' },
      conflicts: [
        'waybill:Queue/shop/work ClaimedByAnother: queue shop.work belongs to another installation of Waybill (--instance second): choose another name',
      ],
    },
    {
      name: 'of this very resource under another instance',
      queue: { ...quorum, 'x-waybill-owner': 'second:Queue/shop/work' },
      conflicts: [
        "waybill:Queue/shop/work OtherInstance: queue shop.work belongs to second:Queue/shop/work: it was declared with --instance second, and this operator runs with --instance waybill. Nothing of it is changed. If it is yours, run the operator with --instance second again (instance in the chart); if it is another installation's, choose another name",
      ],
    },
  ])(
    'an existing queue with a wanted name is used or reported as a conflict: one $name',
    ({ queue, spec, conflicts }) => {
      expect(found(queue, spec)).toEqual(conflicts)
    },
  )

  test('an existing queue that is not owned by Waybill gets no policy', () => {
    const vhost = declared()
    vhost.apply({ do: 'declare-queue', queue: { name: 'shop.work', durable: true, arguments: quorum } })
    expect(changesOf(planFor(vhost, queueOf('work', { maxLength: 5 })))).toEqual([])
    const adopting = planFor(vhost, queueOf('work', { maxLength: 5, adopt: true }))
    expect(changesOf(adopting)).toMatchObject([{ do: 'put-policy', policy: { pattern: '^shop\\.work$' } }])
  })

  test('an existing exchange of another type cannot be adopted', () => {
    const vhost = declared()
    vhost.apply({ do: 'declare-exchange', exchange: { name: 'shop.orders', type: 'direct', arguments: {} } })
    expect(conflictsOf(planFor(vhost, topicOf('orders', { adopt: true })))).toEqual([
      'waybill:Topic/shop/orders ImmutableArgument: exchange shop.orders has type direct, not topic: choose another name',
    ])
  })

  test('two Brokers of one instance share the objects of one virtual host, and those of two instances do not', () => {
    const vhost = declared()
    expect(conflictsOf(planFor(vhost, brokerOf('second')))).toEqual([])
    const { broker, ...rest } = desiredFrom()
    expect(broker).toBe('waybill:Broker/shop/rabbitmq')
    const elsewhere = { ...rest, broker, instance: 'other' }
    expect(planOf({ ...elsewhere, broker: 'other:Broker/shop/rabbitmq' }, vhost.observe()).stages).toEqual([])
  })
})

test('a conflict about a name that nobody chose asks for none to be chosen', () => {
  const vhost = declared(topicOf('orders'))
  const theirs = { 'x-waybill-owner': 'second:Subscription/shop/other' }
  vhost.apply({
    do: 'declare-queue',
    queue: { name: 'waybill.sub.shop.billing', durable: true, arguments: { 'x-queue-type': 'quorum', ...theirs } },
  })
  expect(conflictsOf(planFor(vhost, topicOf('orders'), subscriptionOf('billing')))[0]).toBe(
    `${owner} ClaimedByAnother: queue waybill.sub.shop.billing belongs to another installation of Waybill (--instance second): delete it once it is empty`,
  )
})

test('a conflict of a topic stops the subscriptions that read from it, and no others', () => {
  const vhost = declared()
  vhost.apply({ do: 'declare-queue', queue: { name: 'waybill.unrouted.shop.orders', durable: true, arguments: {} } })
  const bills = subscriptionOf('bills', { topicRef: { name: 'bills' } })
  const plan = planFor(vhost, topicOf('orders'), subscriptionOf('billing'), topicOf('bills'), bills)
  expect(conflictsOf(plan)).toEqual([
    'waybill:Topic/shop/orders NotClaimed: queue waybill.unrouted.shop.orders exists and was not declared by Waybill: delete it once it is empty',
    `${owner} Pending: exchange shop.orders is not what was declared: see the resource that declares it`,
  ])
  expect(new Set(plan.stages.flat().map((one) => one.owner))).toEqual(
    new Set(['waybill:Topic/shop/bills', 'waybill:Subscription/shop/bills']),
  )
})

test('a conflict of one delay level stops no other level', () => {
  const vhost = virtualHost({ queues: [{ name: 'waybill.delay.5s', durable: true, arguments: {} }] })
  const plan = converge(desiredFrom(...shop), vhost)
  expect(plan.conflicts.map((one) => one.owner)).toEqual(['waybill:Broker/shop/rabbitmq'])
  expect(vhost.observe().bindings.map((one) => one.destination)).toContain('waybill.delay.30s')
  expect(vhost.observe().bindings.map((one) => one.destination)).not.toContain('waybill.delay.5s')
})

describe('policies in force', () => {
  test('a policy that shadows a declared one is reported', () => {
    const vhost = declared(...shop)
    const foreign = {
      name: 'ops',
      pattern: '^shop',
      applyTo: 'queues' as const,
      priority: 900,
      definition: { 'max-length': 1 },
    }
    vhost.apply({ do: 'put-policy', policy: foreign })
    expect(planFor(vhost, ...shop).shadowed).toEqual([
      {
        owner: 'waybill:Queue/shop/work',
        message:
          'policy ops is in force on queue shop.work instead of waybill:Queue/shop/work: lower its priority below 200, or narrow its pattern',
      },
    ])
  })

  test('a policy that the broker did not apply to a queue is deleted and put again', () => {
    const vhost = declared(...shop)
    const { states, ...rest } = vhost.observe()
    const without = [...states].map(([name, state]) => [name, { ...state, policy: '' }] as const)
    const plan = planOf(desiredFrom(...shop), { ...rest, states: new Map(without) })
    const puts = changesOf(planFor(virtualHost(), ...shop)).filter((change) => change.do === 'put-policy')
    expect(changesOf(plan)).toEqual([
      ...puts.map(({ policy: { name } }) => ({ do: 'delete-policy', policy: name })),
      ...puts,
    ])
    expect(plan.stages).toHaveLength(2)
  })

  test('the policy for dead-letter queues is deleted when no resource asks for it', () => {
    const short = policyOf('short', { default: true, retention: { maxLength: 5 } })
    const vhost = declared(short, topicOf('orders'), subscriptionOf('billing'))
    expect(changesOf(planFor(vhost, topicOf('orders'), subscriptionOf('billing')))).toEqual([
      { do: 'delete-policy', policy: 'waybill:Broker/shop/rabbitmq#dlq:waybill.dlq.shop.billing' },
    ])
  })
})

test('objects whose resource is unknown are retained and reported', () => {
  const vhost = declared(...shop)
  const plan = planFor(vhost, topicOf('orders'))
  expect(changesOf(plan)).toEqual([])
  vhost.put('shop.work', 3)
  const living = (owner: string) => owner === 'waybill:Broker/shop/rabbitmq' || owner === 'waybill:Topic/shop/orders'
  const retained = retainedOn('waybill', vhost.observe(), living)
  expect(retained.map(({ name, owner, messages, from }) => [name, owner, messages, from])).toEqual([
    ['shop.work', 'waybill:Queue/shop/work', 3, []],
    ['waybill.dlq.shop.billing', 'waybill:Subscription/shop/billing', 0, []],
    ['waybill.retry.shop.billing', 'waybill:Subscription/shop/billing', 0, []],
    ['waybill.sub.shop.billing', 'waybill:Subscription/shop/billing', 0, ['shop.orders']],
  ])
  expect(retainedOn('other', vhost.observe(), living)).toEqual([])
  const some = (more: Partial<Retained>): Retained[] => retained.map((each) => ({ ...each, ...more }))
  expect(concerning(retained)).toMatchObject({
    reason: 'StillBound',
    message: expect.stringContaining(
      'billing (of waybill:Subscription/shop/billing, from shop.orders) and still bound',
    ),
  })
  expect(concerning(some({ from: [] }))).toMatchObject({
    reason: 'Retained',
    message: expect.stringContaining('shop.work (of waybill:Queue/shop/work)'),
  })
  expect(concerning(some({ from: [], messages: 0 }))).toBeUndefined()
})

describe('plans from any state', () => {
  const anything = anyResources.chain((resources) => {
    const [attached] = resolveReferences(resources).attached.values()
    if (attached === undefined) throw new Error('No broker')
    const wanted = desired(attached, 'waybill', newestDialect)
    return anyVhost(wanted).map((vhost) => ({ resources, wanted, vhost }))
  })
  const mayTouch = ({ owners }: Desired, owner: unknown): boolean => typeof owner === 'string' && owners.has(owner)

  test('plans from any state converge, and everything without a conflict is declared', () => {
    fc.assert(
      fc.property(anything, ({ wanted, vhost }) => {
        const plan = converge(wanted, vhost)
        const { queues, exchanges, bindings, policies } = vhost.observe()
        const stopped = new Set(plan.conflicts.map((one) => one.owner))
        const present = <T>(
          list: readonly { owner: string; want: T }[],
          found: readonly T[],
          key: (one: T) => string,
        ) => {
          const keys = new Set(found.map(key))
          for (const one of list) if (!stopped.has(one.owner)) expect(keys).toContain(key(one.want))
        }
        present(wanted.queues, queues, (one) => one.name)
        present(wanted.bindings, bindings, bindingKey)
        present(wanted.policies, policies, (one) => one.name)
        const exchangeNames = new Set(exchanges.map((one) => one.name))
        for (const one of wanted.exchanges) if (!stopped.has(one.owner)) expect(exchangeNames).toContain(one.want.name)
      }),
      { numRuns: 300 },
    )
  })

  test('a plan changes or deletes nothing that is not owned by a known resource', () => {
    fc.assert(
      fc.property(anything, ({ wanted, vhost }) => {
        const before = vhost.observe()
        converge(wanted, vhost)
        const after = vhost.observe()
        const kept = (list: 'queues' | 'exchanges') => {
          for (const one of before[list]) {
            if (!mayTouch(wanted, ownerOf(one))) expect(after[list]).toContainEqual(one)
          }
        }
        kept('queues')
        kept('exchanges')
        const keys = new Set(after.bindings.map(bindingKey))
        const gone = new Set([
          ...before.queues.filter((one) => !after.queues.includes(one)).map((one) => one.name),
          ...before.exchanges.filter((one) => !after.exchanges.includes(one)).map((one) => one.name),
        ])
        for (const one of before.bindings) {
          if (mayTouch(wanted, ownerOf(one)) || gone.has(one.source) || gone.has(one.destination)) continue
          expect(keys).toContain(bindingKey(one))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('no policy matches a queue of another owner by its name', () => {
    fc.assert(
      fc.property(anything, ({ resources, wanted, vhost }) => {
        const adopts = resources.queues.some((one) => one.spec.adopt && !isDeleting(one))
        fc.pre(!adopts)
        const foreign = vhost.observe().queues.filter((one) => !mayTouch(wanted, ownerOf(one)))
        const before = new Set(vhost.observe().policies.map((one) => one.pattern))
        const classes = new Set(['waybill:sub', 'waybill:kept'])
        converge(wanted, vhost)
        const added = vhost.observe().policies.filter((one) => one.applyTo === 'queues' && !before.has(one.pattern))
        for (const { name: policy, pattern } of added) {
          if (classes.has(policy)) continue
          for (const { name } of foreign) expect(name).not.toMatch(new RegExp(pattern))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('no queue with messages is deleted unless its resource has the deletion policy Delete', () => {
    fc.assert(
      fc.property(anything, ({ wanted, vhost }) => {
        const before = vhost.observe()
        converge(wanted, vhost)
        const names = new Set(vhost.observe().queues.map((one) => one.name))
        for (const one of before.queues) {
          const isFull = (before.states.get(one.name)?.messages ?? 0) > 0
          if (isFull && wanted.owners.get(String(ownerOf(one))) !== 'Delete') expect(names).toContain(one.name)
        }
        for (const change of vhost.made) {
          if (change.do !== 'delete-queue' || change.only === 'if-empty') continue
          const owner = before.queues.find((one) => one.name === change.queue)
          expect(wanted.owners.get(String(owner && ownerOf(owner)))).toBe('Delete')
        }
      }),
      { numRuns: 300 },
    )
  })

  test('what is declared for the first time is complete after one reconcile', () => {
    fc.assert(
      fc.property(anyResources, (resources) => {
        for (const attached of resolveReferences(resources).attached.values()) {
          const wanted = desired(attached, 'waybill', newestDialect)
          const vhost = virtualHost()
          for (const { change } of planOf(wanted, vhost.observe()).stages.flat()) vhost.apply(change)
          expect(planOf(wanted, vhost.observe())).toMatchObject({ stages: [], conflicts: [], shadowed: [] })
        }
      }),
    )
  })
})
