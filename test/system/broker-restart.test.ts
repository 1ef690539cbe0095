import { subscriptionOf } from '../support/manifests.ts'
import { privateNode } from '../support/private-node.ts'
import { connectProducer } from '../support/publish.ts'
import { openShop } from '../support/shop.ts'
import { eventually } from '../support/wait.ts'

// Only a broker that this test started may be restarted.
const { testWithNode, restart } = privateNode()

testWithNode(
  'no message is lost when the broker restarts and Waybill is killed meanwhile, and few are delivered twice',
  async () => {
    const concurrency = 10
    await using shop = await openShop()
    const subscriber = await shop.subscriber()
    subscriber.answer({ status: 200, afterMs: 5 })
    const delivery = { concurrency }
    shop.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url, { delivery })])
    const doomed = await shop.run()
    await shop.ready(doomed, 'billing')
    const first = await shop.publish(Array.from({ length: 2_000 }, (_, order) => ({ order })))
    await eventually(() => subscriber.received.length > 500)
    // The restart would break the producer's own connection.
    await shop.producer.close()
    const restarted = restart()
    await eventually(() => doomed.logs().includes('Lost the connection to the broker'))
    await doomed.kill('SIGKILL')
    const waybill = await shop.run()
    await restarted

    const producer = await connectProducer(shop.vhost.amqpUrl)
    await eventually(() => new Set(subscriber.received.map(({ headers }) => headers['ce-id'])).size === 2_000, {
      timeoutMs: 30_000,
    })
    const second = await producer.publish(
      'shop.orders',
      Array.from({ length: 100 }, (_, order) => ({ routingKey: 'order.placed', body: { order } })),
    )
    await eventually(() => new Set(subscriber.received.map(({ headers }) => headers['ce-id'])).size === 2_100)
    expect(new Set(subscriber.received.map(({ headers }) => headers['ce-id']))).toEqual(new Set([...first, ...second]))
    expect(subscriber.received.length - 2_100).toBeLessThanOrEqual(2 * concurrency)
    await shop.ready(waybill, 'billing')
    await producer.close()
  },
)
