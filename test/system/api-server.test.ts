import type { Condition, ConditionType } from '../../src/api/conditions.ts'
import { broker } from '../../src/api/kinds/broker.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import type { Kind } from '../../src/api/resource.ts'
import { describeWithHelm } from '../support/api-server.ts'
import { type ClusterShop, openClusterShop } from '../support/cluster-shop.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts'
import { eventually } from '../support/wait.ts'

const url = 'http://127.0.0.1:9/'

describeWithHelm('on an API server, with the rights of the chart', () => {
  let shop: ClusterShop
  let cleanUp: AsyncDisposableStack
  beforeEach(async () => {
    cleanUp = new AsyncDisposableStack()
    shop = cleanUp.use(await openClusterShop())
  })
  afterEach(() => cleanUp.disposeAsync())

  /** A proxy that is closed in the end, unless it was before. */
  const proxyTo = async (...to: Parameters<typeof tcpProxy>): Promise<TcpProxy> => {
    const proxy = await tcpProxy(...to)
    let closed: Promise<void> | undefined
    const close = () => {
      closed ??= proxy.close()
      return closed
    }
    cleanUp.defer(close)
    return { ...proxy, close }
  }

  /** Broker and Secret, looked at by itself once an hour only. */
  const seldom = (secret: object = {}) =>
    brokerOf({ ...shop.vhost, secret: { ...shop.vhost.secret, ...secret } }, { resyncInterval: '1h' })

  /** Within ten seconds the condition says so, and an Event tells it. */
  const told = async (
    kind: Kind,
    name: string,
    [type, status, reason]: [ConditionType, Condition['status'], string],
    event: { type: string; reason: string; message: string },
  ) => {
    await shop.condition(kind, name, type, status, reason)
    await eventually(async () => {
      const events = await shop.events(kind, name)
      const last = events.at(-1)
      expect(last).toMatchObject({ ...event, message: expect.stringContaining(event.message) })
      return true
    })
  }
  const ready = { type: 'Normal', reason: 'Ready', message: 'Declared on the broker' }

  test('what is wrong is said within 10 s, and over within 10 s; each change is an Event', async () => {
    const { own, vhost } = shop
    const behind = new URL(vhost.managementUrl)
    const target = { hostname: behind.hostname, port: Number(behind.port) }
    const proxy = await proxyTo(target)
    const { password } = vhost.endpoint
    const secret = { management_uri: `http://127.0.0.1:${proxy.port}`, password }
    await shop.start('operator')
    await own.apply([...seldom(secret), subscriptionOf('billing', 'orders', url)])
    await told(broker, 'rabbitmq', ['Ready', 'True', 'Ready'], ready)

    const nowhere = { type: 'Warning', reason: 'RefNotPermitted', message: 'does not exist or does not permit' }
    await told(subscription, 'billing', ['ResolvedRefs', 'False', 'RefNotPermitted'], nowhere)
    await own.apply(topicOf('orders'))
    await shop.condition(subscription, 'billing', 'Programmed', 'True')
    await told(topic, 'orders', ['Ready', 'True', 'Ready'], ready)

    const away = (message: string, reason = 'BrokerUnreachable') => ({ type: 'Warning', reason, message })
    await own.apply(seldom({ ...secret, password: 'wrong' })[0]!)
    await told(
      broker,
      'rabbitmq',
      ['Connected', 'False', 'CredentialsRefused'],
      away('check username and password', 'CredentialsRefused'),
    )
    await told(topic, 'orders', ['Ready', 'False', 'NotProgrammed'], away('cannot be used'))
    await own.apply(seldom(secret)[0]!)
    await told(topic, 'orders', ['Ready', 'True', 'Ready'], ready)
    await told(broker, 'rabbitmq', ['Connected', 'True', 'Connected'], ready)

    await own.kubectl(['delete', 'secret', 'rabbitmq'])
    const lacking = { type: 'Warning', reason: 'SecretInvalid', message: `Secret ${own.name}/rabbitmq does not exist` }
    await told(broker, 'rabbitmq', ['Connected', 'False', 'SecretInvalid'], lacking)
    await own.apply(seldom(secret)[0]!)
    await told(broker, 'rabbitmq', ['Ready', 'True', 'Ready'], ready)

    await proxy.close()
    await told(broker, 'rabbitmq', ['Connected', 'False', 'BrokerUnreachable'], away('ECONNREFUSED'))
    const again = await proxyTo(target, proxy.port)
    await told(broker, 'rabbitmq', ['Ready', 'True', 'Ready'], ready)

    again.goSilent()
    await told(broker, 'rabbitmq', ['Connected', 'False', 'BrokerUnreachable'], away('did not answer within'))
    again.recover()
    await told(broker, 'rabbitmq', ['Ready', 'True', 'Ready'], ready)
  }, 120_000)

  test('a Subscription that goes while messages wait leaves them, says where, and takes them back', async () => {
    const { own, producer } = shop
    const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
    subscriber.answer(503)
    await shop.start('operator')
    await shop.start('dispatcher', { args: ['--allow-loopback'] })
    const billing = subscriptionOf('billing', 'orders', subscriber.url, { delivery: { retry: { schedule: ['1s'] } } })
    await own.apply([...brokerOf(shop.vhost), topicOf('orders'), billing])
    await shop.condition(subscription, 'billing', 'Ready', 'True')
    const ids = await producer.publish(
      `${own.name}.orders`,
      Array.from({ length: 5 }, () => ({ body: 'kept' })),
    )
    await eventually(() => subscriber.received.length >= 5)

    await own.kubectl(['delete', 'subscription', 'billing', '--timeout=30s'])
    const queue = `waybill.sub.${own.name}.billing`
    const [event] = await eventually(async () => {
      const retained = (await shop.events(subscription, 'billing')).filter(({ reason }) => reason === 'Retained')
      return retained.length > 0 && retained
    })
    expect(event).toMatchObject({ type: 'Normal', message: expect.stringContaining(`queue ${queue}`) })
    await eventually(async () => (await producer.channel.checkQueue(queue)).messageCount === ids.length)

    subscriber.answer(200)
    const before = subscriber.received.length
    await own.apply(billing)
    await shop.condition(subscription, 'billing', 'Ready', 'True')
    await eventually(() => subscriber.received.length >= before + ids.length)
    const delivered = subscriber.received.filter(({ status }) => status === 200)
    expect(new Set(delivered.map(({ headers }) => headers['ce-id']))).toEqual(new Set(ids))
  }, 120_000)

  test('a namespace of 50 subscriptions whose broker is gone goes within two minutes', async () => {
    const { own, vhost } = shop
    const behind = new URL(vhost.managementUrl)
    const proxy = await proxyTo({ hostname: behind.hostname, port: Number(behind.port) })
    const secret = { management_uri: `http://127.0.0.1:${proxy.port}` }
    const names = Array.from({ length: 50 }, (_, index) => `billing-${index}`)
    await own.apply([
      ...brokerOf({ ...vhost, secret: { ...vhost.secret, ...secret } }),
      topicOf('orders'),
      ...names.map((name) => subscriptionOf(name, 'orders', url)),
    ])
    const operator = await shop.start('operator')
    await own.kubectl(['wait', '--for=condition=Programmed', '--timeout=50s', 'subscriptions', '--all'])
    await proxy.close()
    await shop.condition(broker, 'rabbitmq', 'Connected', 'False', 'BrokerUnreachable')

    // What the controller of namespaces does, which is not here.
    await own.kubectl(['delete', 'namespace', own.name, '--wait=false'])
    await own.kubectl(['delete', 'secret', 'rabbitmq'])
    await own.kubectl(['delete', 'waybill', '--all', '--wait=false'])
    const left = () => own.kubectl(['get', 'waybill', '-o', 'name'])
    await eventually(async () => (await left()) === '', { timeoutMs: 115_000, everyMs: 1_000 })
    expect(operator.logs()).not.toContain('"level":"error"')
  }, 240_000)
})
