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

describeWithHelm('on an API server, with the permissions of the chart', () => {
  let shop: ClusterShop
  let cleanUp: AsyncDisposableStack
  beforeEach(async () => {
    cleanUp = new AsyncDisposableStack()
    shop = cleanUp.use(await openClusterShop())
  })
  afterEach(() => cleanUp.disposeAsync())

  /** A proxy that is closed after the test, unless it was closed before. */
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

  /** Broker and Secret, with a periodic resync only once an hour. */
  const rarelyResynced = (secret: object = {}, hours = 1) =>
    brokerOf({ ...shop.vhost, secret: { ...shop.vhost.secret, ...secret } }, { resyncInterval: `${hours}h` })

  /** Waits until the condition has this status and reason, and the last Event reports it. */
  const reported = async (
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

  test('each fault of a Broker is reported in a condition and an Event, and cleared after its repair', async () => {
    const { own, vhost } = shop
    const behind = new URL(vhost.managementUrl)
    const target = { hostname: behind.hostname, port: Number(behind.port) }
    const proxy = await proxyTo(target)
    const { password } = vhost.endpoint
    const secret = { management_uri: `http://127.0.0.1:${proxy.port}`, password }
    await shop.start('operator')
    await own.apply([...rarelyResynced(secret), subscriptionOf('billing', 'orders', url)])
    await reported(broker, 'rabbitmq', ['Ready', 'True', 'Ready'], ready)

    const nowhere = { type: 'Warning', reason: 'RefNotPermitted', message: 'does not exist: create it' }
    await reported(subscription, 'billing', ['ResolvedRefs', 'False', 'RefNotPermitted'], nowhere)
    await own.apply(topicOf('orders'))
    await shop.condition(subscription, 'billing', 'Programmed', 'True')
    await reported(topic, 'orders', ['Ready', 'True', 'Ready'], ready)

    const away = (message: string, reason = 'BrokerUnreachable') => ({ type: 'Warning', reason, message })
    // What a Secret holds is looked at when its Broker changes, or when something fails.
    await own.apply(rarelyResynced({ ...secret, password: 'wrong' }, 2))
    await reported(
      broker,
      'rabbitmq',
      ['Connected', 'False', 'CredentialsRefused'],
      away('check username and password', 'CredentialsRefused'),
    )
    await reported(topic, 'orders', ['Ready', 'False', 'NotProgrammed'], away('cannot be used', 'CredentialsRefused'))
    await own.apply(rarelyResynced(secret)[0]!)
    await reported(topic, 'orders', ['Ready', 'True', 'Ready'], ready)
    await reported(broker, 'rabbitmq', ['Connected', 'True', 'Connected'], ready)

    await own.kubectl(['delete', 'secret', 'rabbitmq'])
    await own.apply(rarelyResynced(secret, 3)[1]!)
    const lacking = { type: 'Warning', reason: 'SecretInvalid', message: `Secret ${own.name}/rabbitmq does not exist` }
    await reported(broker, 'rabbitmq', ['Connected', 'False', 'SecretInvalid'], lacking)
    await own.apply(rarelyResynced(secret)[0]!)
    await reported(broker, 'rabbitmq', ['Ready', 'True', 'Ready'], ready)

    await proxy.close()
    await reported(broker, 'rabbitmq', ['Connected', 'False', 'BrokerUnreachable'], away('ECONNREFUSED'))
    const again = await proxyTo(target, proxy.port)
    await reported(broker, 'rabbitmq', ['Ready', 'True', 'Ready'], ready)

    again.goSilent()
    await reported(broker, 'rabbitmq', ['Connected', 'False', 'BrokerUnreachable'], away('did not answer within'))
    again.recover()
    await reported(broker, 'rabbitmq', ['Ready', 'True', 'Ready'], ready)
  }, 120_000)

  test('a deleted Subscription retains its messages, an Event names the queue, and a new one delivers them', async () => {
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
    // All of them were tried, so they come back to the queue for retries.
    const queue = `waybill.retry.${own.name}.billing`
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

  test('50 subscriptions of a deleted namespace are removed within two minutes although their broker is unreachable', async () => {
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

    // What the namespace controller does, which does not run on this API server.
    await own.kubectl(['delete', 'namespace', own.name, '--wait=false'])
    await own.kubectl(['delete', 'secret', 'rabbitmq'])
    await own.kubectl(['delete', 'waybill', '--all', '--wait=false'])
    const left = () => own.kubectl(['get', 'waybill', '-o', 'name'])
    await eventually(async () => (await left()) === '', { timeoutMs: 115_000, everyMs: 1_000 })
    expect(operator.logs()).not.toContain('"level":"error"')
  }, 240_000)
})
