import { queue } from '../../src/api/kinds/queue.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import { apiServer, describeWithHelm } from '../support/api-server.ts'
import { openClusterShop } from '../support/cluster-shop.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { request } from '../support/kubernetes/request.ts'
import { brokerOf, inNamespace, type Manifest, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

const everybody = { allowedNamespaces: { from: 'All' } }
const five = ['1', '2', '3', '4', '5'].map((body) => ({ routingKey: 'order.placed', body }))

describe('a tenant who asks for what is another one’s', () => {
  let stage: Stage
  let victim: Subscriber
  let attacker: Subscriber
  let producer: Producer
  let cleanUp: AsyncDisposableStack

  beforeEach(async () => {
    cleanUp = new AsyncDisposableStack()
    stage = cleanUp.adopt(await startStage(), ({ close }) => close())
    victim = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
    attacker = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
    producer = cleanUp.adopt(await connectProducer(stage.vhost.amqpUrl), ({ close }) => close())
  })
  afterEach(() => cleanUp.disposeAsync())

  const attack = (...manifests: readonly Manifest[]) =>
    stage.folder.write(
      'attack',
      manifests.map((one) => inNamespace('evil', one)),
    )
  const open = (spec: object = {}) => stage.folder.write('broker', brokerOf(stage.vhost, { ...everybody, ...spec }))
  const live = async () => {
    const delivery = { retry: { schedule: ['1s', '5s'] } }
    stage.folder.write('victim', [topicOf('orders'), subscriptionOf('billing', 'orders', victim.url, { delivery })])
    await stage.condition(subscription, 'billing', 'Ready', 'True')
  }
  /** All conditions of a resource of the victim; they must be the same after an attack. */
  const conditions = () => JSON.stringify(stage.get(subscription, 'billing')?.status?.conditions)
  const told = async (kind: typeof topic | typeof queue, name: string, message: string) => {
    const found = await stage.condition(kind, `evil/${name}`, 'Accepted', 'False', 'NotPermitted')
    expect(found.message).toContain(message)
    await stage.condition(kind, `evil/${name}`, 'Ready', 'False', 'NotAccepted')
  }
  /** Each message comes twice, because the first attempt fails and is retried. */
  const deliversAll = async () => {
    const before = victim.received.length
    const seen = new Set<unknown>()
    victim.answer(({ headers }) => {
      const isNew = !seen.has(headers['ce-id'])
      seen.add(headers['ce-id'])
      return isNew ? 503 : 204
    })
    await producer.publish('shop.orders', five)
    await eventually(() => victim.received.length === before + 10)
    expect(attacker.received).toEqual([])
  }

  const names = { exchange: { name: 'waybill.delay.1s' } }
  const squatters = [
    topicOf('a', names),
    topicOf('t', { exchange: { name: 'shop.orders' } }),
    queueOf('q', { name: 'waybill.sub.shop.billing' }),
    queueOf('d', { name: 'waybill.dlq.shop.billing', adopt: true }),
    queueOf('loot', { bindings: [{ topicRef: { name: 'a' } }, { topicRef: { name: 't' } }] }),
    subscriptionOf('q', 'a', '', { queueRef: { name: 'q' }, topicRef: undefined }),
  ]
  const withUrl = () => squatters.map((one) => (one.kind === 'Subscription' ? reader(one) : one))
  const reader = (one: Manifest): Manifest => ({
    ...one,
    spec: { queueRef: { name: 'q' }, subscriber: { url: attacker.url } },
  })

  test.each([
    { when: 'after', spec: {} },
    { when: 'before', spec: {} },
    { when: 'before', spec: { customNames: { from: 'All' }, adoption: { from: 'All' } } },
  ])(
    'gets no name of Waybill and none of another namespace, asked for $when it is used, on a Broker with $spec',
    async ({ when, spec }) => {
      open(spec)
      if (when === 'after') await live()
      const before = conditions()
      attack(...withUrl())
      await told(topic, 'a', 'waybill.delay.1s: no resource may choose or adopt such a name')
      await told(
        topic,
        't',
        when === 'before' && 'customNames' in spec ? 'belong to the namespace shop' : 'spec.customNames',
      )
      await told(queue, 'q', 'no resource may choose or adopt such a name')
      await told(queue, 'd', 'no resource may choose or adopt such a name')
      await stage.condition(queue, 'evil/loot', 'Accepted', 'False', 'Invalid')
      await stage.condition(subscription, 'evil/q', 'Accepted', 'False', 'Invalid')
      if (when === 'after') expect(conditions()).toBe(before)
      else await live()
      await deliversAll()
    },
  )

  test('reads, moves and drops nothing of a queue that it adopts', async () => {
    open()
    const { channel } = producer
    await channel.assertQueue('payments', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await channel.assertExchange('bank', 'topic')
    await channel.bindQueue('payments', 'bank', '#')
    await producer.publish('bank', five)
    const adopt = true
    attack(
      queueOf('q', { name: 'payments', adopt, messageTTL: '1ms' }),
      topicOf('t', { exchange: { name: 'bank' }, adopt }),
      queueOf('copy', { bindings: [{ topicRef: { name: 't' } }] }),
      reader(subscriptionOf('q', 't', '')),
    )
    await told(queue, 'q', 'spec.customNames')
    await told(topic, 't', 'spec.customNames')
    await stage.condition(subscription, 'evil/q', 'Accepted', 'False', 'Invalid')
    await stage.condition(queue, 'evil/copy', 'Accepted', 'False', 'Invalid')
    // Names are free now, and adopting still is not.
    open({ customNames: { from: 'All' } })
    await eventually(() =>
      stage
        .get(queue, 'evil/q')
        ?.status?.conditions?.[0]?.message.startsWith('spec.adopt: Broker shop/rabbitmq lets only'),
    )
    await producer.publish('bank', five)
    expect(await producer.look('payments')).toHaveLength(10)
    expect(attacker.received).toEqual([])
    const policies = (await stage.vhost.manage('GET', `/policies/${stage.vhost.name}`)) as { name: string }[]
    expect(policies.filter(({ name }) => name.includes('evil'))).toEqual([])
    // Who may adopt where the Broker says so does.
    open({ customNames: { from: 'All' }, adoption: { from: 'All' } })
    await stage.condition(topic, 'evil/t', 'Ready', 'True')
  })

  test('may choose names where its namespace has the labels that the Broker asks for, and keeps them when they go', async () => {
    const namespace = (labels: object) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'evil', namespace: 'evil', labels },
    })
    open({ customNames: { from: 'Selector', selector: { matchLabels: { team: 'orders' } } } })
    stage.folder.write('namespace', [namespace({ team: 'mail' })])
    attack(topicOf('t', { exchange: { name: 'plain' } }))
    await told(topic, 't', 'lets only shop and namespaces with certain labels choose names (spec.customNames)')
    stage.folder.write('namespace', [namespace({ team: 'orders' })])
    await stage.condition(topic, 'evil/t', 'Ready', 'True')
    stage.folder.write('namespace', [namespace({})])
    attack(topicOf('t', { exchange: { name: 'plain' } }), topicOf('u', { exchange: { name: 'simple' } }))
    await told(topic, 'u', 'spec.customNames')
    await stage.condition(topic, 'evil/t', 'Ready', 'True')
  })

  test('keeps a name that it declared before there were rules, and is not told the names of others', async () => {
    open({ customNames: { from: 'All' } })
    attack(topicOf('t', { exchange: { name: 'plain' } }))
    await stage.condition(topic, 'evil/t', 'Ready', 'True')
    open()
    stage.folder.write('other', [topicOf('mine', { exchange: { name: 'plain' } })])
    const { message } = await stage.condition(topic, 'mine', 'Accepted', 'False', 'Conflicted')
    expect(message).toBe(
      'spec.exchange.name: exchange plain is already declared by a resource of another namespace: choose another name, or remove one of the two',
    )
    await stage.condition(topic, 'evil/t', 'Ready', 'True')
  })

  test('reads no stream as a queue: what is adopted must have the type that was said', async () => {
    open()
    await producer.channel.assertQueue('log', { durable: true, arguments: { 'x-queue-type': 'stream' } })
    stage.folder.write('log', [
      queueOf('q', { name: 'log', adopt: true }),
      inNamespace('shop', reader(subscriptionOf('q', 't', ''))),
    ])
    const { message } = await stage.condition(queue, 'q', 'Programmed', 'False', 'ImmutableArgument')
    expect(message).toBe('queue log has type stream, not quorum: choose another name')
    await stage.condition(subscription, 'q', 'Programmed', 'False', 'Pending')
    expect((await producer.channel.checkQueue('log')).consumerCount).toBe(0)
    expect(stage.get(subscription, 'q')?.status?.queue).toBeUndefined()
  })
})

describeWithHelm('a Queue that is made anew under the name of another one', () => {
  test.each(['with an operator', 'without an operator'])(
    'is not consumed by the status of the one before, %s',
    async (how) => {
      await using shop = await openClusterShop()
      await using cleanUp = new AsyncDisposableStack()
      const thief = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
      const { own, vhost, producer } = shop
      const pushes = { queueRef: { name: 'mine' }, subscriber: { url: thief.url } }
      await own.apply([
        ...brokerOf(vhost),
        queueOf('victim', { name: 'payments' }),
        queueOf('mine'),
        { ...subscriptionOf('thief', '', thief.url), spec: pushes },
      ])
      const operator = await shop.start('operator')
      await shop.start('dispatcher', { args: ['--allow-loopback'] })
      await shop.condition(subscription, 'thief', 'Ready', 'True')
      await shop.condition(queue, 'victim', 'Ready', 'True')
      await producer.publish(
        '',
        Array.from({ length: 300 }, (_, index) => ({ routingKey: 'payments', body: `${index}` })),
      )
      if (how === 'without an operator') await operator.stop()

      const path = `/apis/waybill.dev/v1alpha1/namespaces/${own.name}/queues`
      const merge = 'application/merge-patch+json'
      await Promise.all([
        request(apiServer(), 'DELETE', `${path}/mine`),
        request(apiServer(), 'PATCH', `${path}/mine`, { metadata: { finalizers: null } }, merge),
      ])
      const again = { ...queueOf('mine', { name: 'payments' }), metadata: { name: 'mine' } }
      await eventually(async () => (await request(apiServer(), 'POST', path, again)).status === 201, { everyMs: 1 })

      await shop.condition(subscription, 'thief', 'Delivering', 'False', 'NoConsumer')
      if (how === 'with an operator') {
        const { message } = await shop.condition(queue, 'mine', 'Accepted', 'False', 'Conflicted')
        expect(message).toContain('queue payments is already declared by Queue/')
        await shop.condition(subscription, 'thief', 'Accepted', 'False', 'Invalid')
      }
      expect(thief.received).toEqual([])
      expect(await producer.channel.checkQueue('payments')).toMatchObject({ messageCount: 300, consumerCount: 0 })
      await shop.condition(queue, 'victim', 'Ready', 'True')
    },
  )
})
