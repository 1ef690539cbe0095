import type { Resource } from '../../src/api/resource.ts'
import type { Change } from '../../src/topology/change.ts'
import type { Desired } from '../../src/topology/desired.ts'
import { diff } from '../../src/topology/diff.ts'
import { removalAnnotation, removalsOf } from '../../src/topology/health/removals.ts'
import { retainedOn } from '../../src/topology/health/retained.ts'
import { settleMs } from '../../src/topology/retire.ts'
import type { Observed } from '../../src/topology/topology.ts'
import { brokerOf, deleting, desiredFrom, policyOf, queueOf, subscriptionOf, topicOf } from './resources.ts'
import { converge, namesIn, type VirtualHost, virtualHost } from './virtual-host.ts'

const topic = topicOf('orders')
const billing = subscriptionOf('billing')
const queue = 'waybill.sub.shop.billing'
const retries = 'waybill.retry.shop.billing'
const deadLetters = 'waybill.dlq.shop.billing'
const owner = 'waybill:Subscription/shop/billing'
const seal = `waybill:Broker/shop/rabbitmq#seal:${deadLetters}`

const declared = (...all: Resource[]): VirtualHost => {
  const vhost = virtualHost()
  converge(desiredFrom(...all), vhost)
  vhost.made.length = 0
  return vhost
}
const without = (found: Observed, queues: string[]): string[] =>
  queues.filter((name) => !found.queues.some((one) => one.name === name))
const told = ({ made }: VirtualHost): string[] =>
  made.map((change: Change) => {
    if (change.do === 'unbind') return `unbind ${change.binding.source}`
    if (change.do === 'delete-queue') return `delete ${change.queue} ${change.only}`
    if (change.do === 'put-policy') return `put ${change.policy.name}`
    return change.do === 'delete-policy' ? `drop ${change.policy}` : change.do
  })

test.each([
  ['derived names', billing, owner, true],
  ['the name of a Queue', queueOf('work'), 'waybill:Queue/shop/work', false],
])('empty queues of a resource that is gone, with %s, are retired: %#', (_what, resource, left, retired) => {
  const observed = declared(topic, resource).observe()
  const times = { now: settleMs, quietSince: new Map(), goingSince: new Map() }
  const changes = (leftBehind: string[]): number =>
    diff(desiredFrom(topic), observed, { ...times, leftBehind: new Set(leftBehind) }).stages.flat().length
  expect(changes([])).toBe(0)
  expect(changes([left]) > 0).toBe(retired)
})

describe('what is retained and the Broker asks to remove', () => {
  const asking = (removal: string) => brokerOf('rabbitmq', {}, { annotations: { [removalAnnotation]: removal } })
  const living = (found: string) => !found.includes('billing') && !found.includes('Queue')
  const removals = (removal: string, messages: number) => {
    const vhost = declared(topic, billing, queueOf('work'))
    vhost.put(queue, messages)
    const retained = retainedOn('waybill', vhost.observe(), living)
    return [...removalsOf(asking(removal), 'waybill', retained, desiredFrom(topic))]
  }
  const work = 'waybill:Queue/shop/work'

  test.each([
    ['', 0, []],
    ['empty', 3, [work, owner].map((each) => [each, 'RetainIfNotEmpty'])],
    ['Subscription/shop/billing', 3, [[owner, 'RetainIfNotEmpty']]],
    ['Subscription/shop/billing=3', 3, [[owner, 'Delete']]],
    ['Subscription/shop/billing=2', 3, []],
    [
      ' Queue/shop/work , Subscription/shop/billing=9',
      3,
      [
        [work, 'RetainIfNotEmpty'],
        [owner, 'Delete'],
      ],
    ],
    ['Subscription/shop/other,Subscription/shop/billing=all,Topic/shop/orders=5', 3, []],
  ] as const)('%j, with %i messages in it', (removal, messages, expected) => {
    expect(removals(removal, messages)).toEqual(expected)
  })

  test('the delay queues of a Broker that is gone, which the next one uses, stay', () => {
    const vhost = declared(topic, billing)
    const retained = retainedOn('waybill', vhost.observe(), () => false)
    const [ladder] = retained.filter(({ name }) => name.startsWith('waybill.delay.'))
    const left = (wanted: Pick<Desired, 'queues' | 'exchanges'>) => [
      ...removalsOf(asking('empty'), 'waybill', retained, wanted).keys(),
    ]
    expect(left({ queues: [], exchanges: [] })).toContain(ladder?.owner)
    expect(left(desiredFrom(topic))).not.toContain(ladder?.owner)
  })

  test.each([
    ['RetainIfNotEmpty', 0, []],
    ['RetainIfNotEmpty', 3, [queue, retries, deadLetters]],
    ['Delete', 3, []],
  ] as const)('with %s and %i messages in it', (how, messages, left) => {
    const vhost = declared(topic, billing)
    vhost.put(queue, messages)
    converge(desiredFrom(topic), vhost, new Map([[owner, how]]))
    const names = [queue, retries, deadLetters]
    expect(names.filter((name) => !without(vhost.observe(), names).includes(name))).toEqual(left)
  })
})

describe('deletion with RetainIfNotEmpty', () => {
  const going = [topic, subscriptionOf('billing', {}, deleting)]

  test('an empty queue is unbound, sealed, seen empty for long enough, and only then deleted', () => {
    const vhost = declared(topic, billing)
    const plan = converge(desiredFrom(...going), vhost)
    expect(told(vhost)).toEqual([
      'unbind shop.orders',
      `put ${seal}`,
      `delete ${queue} if-empty`,
      `delete ${retries} if-empty`,
      `delete ${deadLetters} if-empty`,
      `drop ${seal}`,
    ])
    expect(plan.gone.get(owner)).toEqual([])
    expect(namesIn(vhost.observe())).toEqual(namesIn(declared(topic).observe()))
  })

  test('a deleted subscription that pushed from a Queue leaves nothing, not even its binding to the return exchange', () => {
    const work = queueOf('work')
    const vhost = declared(work, subscriptionOf('pushed', { queueRef: { name: 'work' } }))
    converge(desiredFrom(work, subscriptionOf('pushed', { queueRef: { name: 'work' } }, deleting)), vhost)
    expect(vhost.observe()).toEqual(declared(work).observe())
  })

  test('an empty queue is deleted although messages are delayed, for they may be of anybody', () => {
    const vhost = declared(topic, billing)
    vhost.put('waybill.delay.5s', 1)
    const plan = converge(desiredFrom(...going), vhost)
    expect(plan.gone.get(owner)).toEqual([])
    expect(namesIn(vhost.observe())).toEqual(namesIn(declared(topic).observe()))
  })

  test.each([queue, deadLetters])(
    'a deleted subscription with messages in %s keeps both queues, and the resource is released',
    (full) => {
      const vhost = declared(topic, billing)
      vhost.put(full, 1)
      const plan = converge(desiredFrom(...going), vhost)
      expect(told(vhost)).toEqual(['unbind shop.orders'])
      expect(plan.gone.get(owner)).toEqual([`queue ${queue}`, `queue ${retries}`, `queue ${deadLetters}`])
    },
  )

  test('a deleted queue with a binding of another owner stays', () => {
    const vhost = declared(topic, billing)
    vhost.apply({
      do: 'bind',
      binding: { source: 'shop.orders', destination: queue, routingKey: 'by hand', arguments: {} },
    })
    converge(desiredFrom(...going), vhost)
    expect(without(vhost.observe(), [queue, deadLetters])).toEqual([])
  })

  test('a message that arrives in spite of the seal stops the deletion, and the seal is removed', () => {
    const vhost = declared(topic, billing)
    const wanted = desiredFrom(...going)
    const goingSince = new Map([[owner, 0]])
    const passes = (now: number, quietSince: ReadonlyMap<string, number>) => {
      const plan = diff(wanted, vhost.observe(), { now, quietSince, goingSince })
      for (const { change } of plan.stages.flat()) vhost.apply(change)
      return plan
    }
    passes(0, new Map())
    passes(settleMs, new Map())
    vhost.put(queue, 1)
    const quietSince = new Map([queue, deadLetters].map((name) => [name, settleMs]))
    // It may be a plug, so the broker is asked; the other queues stay until it is known.
    passes(2 * settleMs, quietSince)
    expect(told(vhost).slice(-1)).toEqual([`delete ${queue} if-empty`])
    passes(3 * settleMs, quietSince)
    expect(told(vhost).slice(-1)).toEqual([`drop ${seal}`])
    expect(without(vhost.observe(), [queue, retries, deadLetters])).toEqual([])
  })

  test('a queue that an operator which was killed has plugged is emptied and deleted by the next one', () => {
    const vhost = declared(topic, billing)
    const wanted = desiredFrom(...going)
    const pass = (now: number, quietSince: ReadonlyMap<string, number>) => {
      const plan = diff(wanted, vhost.observe(), { now, quietSince, goingSince: new Map([[owner, 0]]) })
      for (const { change } of plan.stages.flat()) vhost.apply(change)
      return plan
    }
    pass(0, new Map())
    pass(0, new Map())
    vhost.put(queue, 2)
    const seen = pass(0, new Map()).quiet
    expect([...seen].sort()).toEqual([deadLetters, retries, queue].sort())
    const quietSince = new Map([...seen].map((name) => [name, 0]))
    pass(settleMs, quietSince)
    expect(told(vhost).slice(-1)).toEqual([`delete ${queue} if-empty`])
    vhost.put(queue, 0)
    pass(settleMs + 1, quietSince)
    expect(without(vhost.observe(), [queue, retries, deadLetters])).toEqual([queue, retries, deadLetters])
  })

  test('a queue is not deleted before it has been quiet without a break for long enough', () => {
    const vhost = declared(topic, billing)
    const wanted = desiredFrom(...going)
    const at = (now: number, since: number) =>
      diff(wanted, vhost.observe(), {
        now,
        quietSince: new Map([queue, deadLetters].map((name) => [name, since])),
        goingSince: new Map([[owner, 0]]),
      })
        .stages.flat()
        .map(({ change }) => change.do)
    for (let pass = 0; pass < 2; pass += 1) {
      for (const { change } of diff(wanted, vhost.observe(), {
        now: 0,
        quietSince: new Map(),
        goingSince: new Map(),
      }).stages.flat())
        vhost.apply(change)
    }
    expect(at(settleMs, 1)).toEqual([])
    expect(at(settleMs + 1, 1)).toEqual(['delete-queue', 'delete-queue'])
  })
})

test('the deletion policy Retain leaves everything as it is', () => {
  const vhost = declared(topic, billing)
  const plan = converge(desiredFrom(topic, subscriptionOf('billing', { deletionPolicy: 'Retain' }, deleting)), vhost)
  expect(vhost.made).toEqual([])
  expect(plan.gone.get(owner)).toEqual([`queue ${queue}`, `queue ${retries}`, `queue ${deadLetters}`])
})

test('the deletion policy Delete also deletes queues with messages', () => {
  const short = policyOf('short', { default: true, retention: { maxLength: 5 } })
  const vhost = declared(topic, billing, short)
  vhost.put(queue, 5)
  const going = subscriptionOf('billing', { deletionPolicy: 'Delete' }, deleting)
  const plan = converge(desiredFrom(topic, going, short), vhost)
  expect(told(vhost)).toEqual([
    `drop waybill:Broker/shop/rabbitmq#dlq:${deadLetters}`,
    `delete ${queue} whatever-it-holds`,
    `delete ${retries} whatever-it-holds`,
    `delete ${deadLetters} whatever-it-holds`,
  ])
  expect(plan.gone.get(owner)).toEqual([])
})

test('a subscription that is created again uses its old queues as they are', () => {
  const vhost = declared(topic, billing)
  vhost.put(queue, 3)
  converge(desiredFrom(topic, subscriptionOf('billing', {}, deleting)), vhost)
  vhost.made.length = 0
  converge(desiredFrom(topic, billing), vhost)
  expect(vhost.made).toMatchObject([{ do: 'bind', binding: { source: 'shop.orders', destination: queue } }])
})

test('a subscription that is created again in the middle of its deletion gets everything back', () => {
  const vhost = declared(topic, billing)
  const wanted = desiredFrom(topic, subscriptionOf('billing', {}, deleting))
  for (const now of [0, settleMs]) {
    const plan = diff(wanted, vhost.observe(), { now, quietSince: new Map(), goingSince: new Map([[owner, 0]]) })
    for (const { change } of plan.stages.flat()) vhost.apply(change)
  }
  expect(vhost.observe().policies.some((one) => one.name.includes('#seal'))).toBe(true)
  converge(desiredFrom(topic, billing), vhost)
  const fresh = declared(topic, billing).observe()
  expect(vhost.observe().policies).toEqual(fresh.policies)
  expect(namesIn(vhost.observe())).toEqual(namesIn(fresh))
})

test('a level of a ladder of before stays bound while messages wait in it, and is deleted once it is empty', () => {
  const vhost = declared(topic, billing)
  const name = 'waybill.delay.7s'
  const owned = { 'x-waybill-owner': 'waybill:Broker/shop/rabbitmq' }
  vhost.apply({ do: 'declare-exchange', exchange: { name, type: 'fanout', arguments: owned } })
  vhost.apply({ do: 'declare-queue', queue: { name, durable: true, arguments: owned } })
  vhost.apply({ do: 'bind', binding: { source: name, destination: name, routingKey: '', arguments: owned } })
  vhost.put(name, 1)
  const before = vhost.observe()
  converge(desiredFrom(topic, billing), vhost)
  expect(vhost.observe()).toEqual(before)
  vhost.put('waybill.delay.7s', 0)
  converge(desiredFrom(topic, billing), vhost)
  expect(namesIn(vhost.observe())).toEqual(namesIn(declared(topic, billing).observe()))
})

test('the dead-letter queue of a Queue is deleted with its policy reference, unless it holds messages', () => {
  const keep = policyOf('keep')
  const asking = queueOf('work', { deadLetterPolicyRef: { name: 'keep' } })
  const vhost = declared(keep, asking)
  vhost.put('waybill.dlq.Queue.shop.work', 1)
  converge(desiredFrom(queueOf('work')), vhost)
  expect(without(vhost.observe(), ['waybill.dlq.Queue.shop.work'])).toEqual([])
  vhost.put('waybill.dlq.Queue.shop.work', 0)
  converge(desiredFrom(queueOf('work')), vhost)
  expect(without(vhost.observe(), ['waybill.dlq.Queue.shop.work'])).toEqual(['waybill.dlq.Queue.shop.work'])
})

describe('a deleted Broker with deletionPolicy Delete', () => {
  const going = brokerOf('rabbitmq', { deletionPolicy: 'Delete' }, deleting)

  test('a deleted Broker leaves nothing of the delay ladder but the policies, which another Broker may need', () => {
    const vhost = declared()
    converge(desiredFrom(going), vhost)
    const { queues, exchanges, bindings, policies } = vhost.observe()
    expect({ queues, exchanges, bindings }).toEqual({ queues: [], exchanges: [], bindings: [] })
    expect(policies.map(({ name }) => name)).toEqual(['waybill:sub', 'waybill:kept'])
  })

  test('a deleted Broker leaves the delay ladder and the return exchange while a message is delayed', () => {
    const vhost = declared()
    vhost.put('waybill.delay.5s', 1)
    const before = vhost.observe()
    converge(desiredFrom(going), vhost)
    expect(namesIn(vhost.observe())).toEqual(namesIn(before))
  })
})
