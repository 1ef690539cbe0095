import { broker } from '../../src/api/kinds/broker.ts'
import { queue } from '../../src/api/kinds/queue.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { removalAnnotation } from '../../src/topology/health/removals.ts'
import { apiServer, describeWithHelm } from '../support/api-server.ts'
import { type ClusterShop, openClusterShop } from '../support/cluster-shop.ts'
import { type FaultyProxy, faultyProxy } from '../support/kubernetes/faulty-proxy.ts'
import { brokerOf, deadLetterPolicyOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'
import type { Command } from '../support/waybill.ts'

const within30s = { timeoutMs: 30_000 }
/** What processes that were just started take on a slow machine. */
const soon = { timeoutMs: 60_000 }

/** On one shop, in the order in which they stand. */
describeWithHelm('what statuses say is so', () => {
  let shop: ClusterShop
  let subscriber: Subscriber
  let operator: Command
  let dispatcher: Command
  beforeAll(async () => {
    ;[shop, subscriber, api] = await Promise.all([openClusterShop(), startSubscriber(), faultyProxy(apiServer())])
    await shop.own.apply([...brokerOf(shop.vhost, { resyncInterval: '1h' }), topicOf('orders')])
    await startBoth()
  }, 120_000)
  afterAll(async () => {
    await shop[Symbol.asyncDispose]()
    await Promise.all([subscriber.close(), api.close()])
  })

  /** The operator's way to the API server. */
  let api: FaultyProxy
  const startOperator = async (...args: string[]): Promise<void> => {
    operator = await shop.start('operator', { args, through: api.cluster().server })
  }
  const startDispatcher = async (): Promise<void> => {
    dispatcher = await shop.start('dispatcher', { args: ['--allow-loopback'] })
  }
  const startBoth = async (): Promise<void> => {
    await startOperator()
    await startDispatcher()
  }
  const delivers = async (body: string): Promise<void> => {
    await shop.producer.publish(`${shop.own.name}.orders`, [{ routingKey: 'order.placed', body }])
    await eventually(() => subscriber.received.some((one) => one.body.toString() === body), soon)
  }
  /** What limits dead-letter queues on the broker. */
  const limits = async (): Promise<readonly object[]> => {
    const found = await shop.vhost.manage('GET', `/policies/${encodeURIComponent(shop.vhost.name)}`)
    return (found as { name: string; definition: object }[])
      .filter(({ name }) => name.includes('#dlq:'))
      .map(({ definition }) => definition)
  }

  test('a dead-letter policy in use that is deleted stops nothing: messages are delivered, dead letters keep their limits, and it is said until it is there again', async () => {
    const policy = deadLetterPolicyOf('keep', { retention: { maxLength: 7 }, redact: { bodies: true } })
    const naming = { deadLetterPolicyRef: { name: 'keep' } }
    await shop.own.apply([
      ...[policy, queueOf('work', naming)],
      subscriptionOf('billing', 'orders', subscriber.url, { ...naming, delivery: { concurrency: 1 } }),
    ])
    await shop.condition(subscription, 'billing', 'Ready', 'True', 'Ready', soon)
    const limited = await limits()
    expect(limited).toEqual([expect.objectContaining({ 'max-length': 7 })])

    await shop.own.kubectl(['delete', 'deadletterpolicies.waybill.dev', 'keep'])
    const refused = ['ResolvedRefs', 'False', 'RefNotPermitted', within30s] as const
    const { message } = await shop.condition(subscription, 'billing', ...refused)
    expect(message).toContain(`DeadLetterPolicy ${shop.own.name}/keep does not exist`)
    await shop.condition(subscription, 'billing', 'Ready', 'False', 'NotResolved')
    await shop.condition(queue, 'work', ...refused)
    await delivers('without its policy')
    // However often the broker was asked meanwhile: what is at rest is not read again and again.
    expect(api.count('get', '/secrets/')).toBeLessThanOrEqual(3)
    await Promise.all([operator.stop(), dispatcher.stop()])
    await startBoth()
    await delivers('after a restart')
    await shop.condition(subscription, 'billing', 'Programmed', 'True')
    expect(await limits()).toEqual(limited)

    await shop.own.apply(policy)
    for (const kind of [subscription, queue]) {
      const name = kind === queue ? 'work' : 'billing'
      await shop.condition(kind, name, 'ResolvedRefs', 'True', 'ResolvedRefs', within30s)
      await shop.condition(kind, name, 'Ready', 'True', 'Ready', soon)
    }
  }, 180_000)

  test('what is deleted while the operator is away stays on the broker with its messages, and the Broker says so until it is there again', async () => {
    await operator.stop()
    const gone = [`subscriptions.waybill.dev/billing`, `topics.waybill.dev/orders`]
    await shop.own.kubectl(['delete', '--wait=false', ...gone])
    await shop.own.kubectl(['patch', ...gone, '--type=merge', '-p', '{"metadata":{"finalizers":null}}'])
    await eventually(async () => (await shop.get(subscription, 'billing')) === undefined)
    await startOperator()
    const retained = `waybill.sub.${shop.own.name}.billing`
    const said = await shop.condition(broker, 'rabbitmq', 'RetainedPresent', 'True', 'StillBound', within30s)
    expect(said.message).toContain(
      `${retained} (of waybill:Subscription/${shop.own.name}/billing, from ${shop.own.name}.orders)`,
    )
    expect((await shop.get(broker, 'rabbitmq'))?.status?.retained).toContain(`queue ${retained}`)
    await eventually(async () => (await shop.events(broker, 'rabbitmq')).some(({ reason }) => reason === 'StillBound'))
    expect(operator.logs()).toContain(said.message.slice(0, 60))
    await shop.producer.publish(`${shop.own.name}.orders`, [{ routingKey: 'order.placed', body: 'meanwhile' }])
    const ask = (removal: string) =>
      shop.own.kubectl(['annotate', '--overwrite', 'brokers.waybill.dev/rabbitmq', `${removalAnnotation}=${removal}`])
    const listed = async () => (await shop.get(broker, 'rabbitmq'))?.status?.retained ?? []
    await ask('empty')
    await eventually(async () => !(await listed()).includes(`exchange ${shop.own.name}.orders`), within30s)
    // In it is a message; its binding went.
    expect(await listed()).toContain(`queue ${retained}`)
    await ask('')

    await shop.own.apply([topicOf('orders'), subscriptionOf('billing', 'orders', subscriber.url)])
    await shop.condition(subscription, 'billing', 'Ready', 'True', 'Ready', soon)
    await eventually(() => subscriber.received.some(({ body }) => body.toString() === 'meanwhile'), soon)
    const cleared = async () => (await shop.get(broker, 'rabbitmq'))?.status?.conditions?.map(({ type }) => type)
    await eventually(async () => !(await cleared())?.includes('RetainedPresent'), within30s)
  }, 180_000)

  test('who waits for a suspended Subscription does not wait for ever', async () => {
    const billing = (spec: object) => subscriptionOf('billing', 'orders', subscriber.url, spec)
    const isReady = ['wait', 'subscriptions.waybill.dev/billing', '--for=condition=Ready', '--timeout=30s']
    await shop.own.apply(billing({ suspend: true }))
    await shop.own.kubectl(isReady)
    const { message } = await shop.condition(subscription, 'billing', 'Ready', 'True', 'Suspended', within30s)
    expect(message).toContain('messages wait in the queue')
    await shop.condition(subscription, 'billing', 'Delivering', 'False', 'Suspended')
  }, 180_000)

  test('an operator that is started under another instance says whose the objects are, and deliveries go on until it is put right', async () => {
    await shop.own.apply(subscriptionOf('billing', 'orders', subscriber.url, { delivery: { concurrency: 2 } }))
    await shop.condition(subscription, 'billing', 'Ready', 'True', 'Ready', soon)
    await operator.stop()
    await startOperator('--instance', 'second')
    const owner = `waybill:Broker/${shop.own.name}/rabbitmq`
    const { message } = await shop.condition(broker, 'rabbitmq', 'Conflicted', 'True', 'OtherInstance', within30s)
    expect(message).toContain(`belongs to ${owner}: it was declared with --instance waybill`)
    expect(operator.logs()).toContain(`belongs to ${owner}`)
    await shop.condition(subscription, 'billing', 'Programmed', 'False', 'OtherInstance', within30s)
    await delivers('under another instance')
    await operator.stop()
    await startOperator()
    await shop.condition(broker, 'rabbitmq', 'Ready', 'True', 'Ready', soon)
    await shop.condition(subscription, 'billing', 'Ready', 'True', 'Ready', soon)
  }, 180_000)
})
