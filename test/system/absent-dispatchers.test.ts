import { subscription } from '../../src/api/kinds/subscription.ts'
import { describeWithHelm } from '../support/api-server.ts'
import { openClusterShop } from '../support/cluster-shop.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { startSubscriber } from '../support/subscriber.ts'

const within30s = { timeoutMs: 30_000 }

describeWithHelm('without a dispatcher', () => {
  test('what a dispatcher said is withdrawn 30 s after it was killed, and said again by the next one; an edit is taken up by it alone', async () => {
    await using shop = await openClusterShop()
    await using cleanUp = new AsyncDisposableStack()
    const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
    const manifests = (concurrency: number) => [
      ...brokerOf(shop.vhost, { resyncInterval: '1h' }),
      topicOf('orders'),
      subscriptionOf('billing', 'orders', subscriber.url, { delivery: { concurrency } }),
    ]
    await shop.own.apply(manifests(1))
    await shop.start('operator')
    const dispatcher = await shop.start('dispatcher', { args: ['--allow-loopback'] })
    await shop.condition(subscription, 'billing', 'Ready', 'True')

    process.kill(dispatcher.pid, 'SIGKILL')
    const { message } = await shop.condition(
      subscription,
      'billing',
      'Delivering',
      'Unknown',
      'NoDispatcher',
      within30s,
    )
    expect(message).toContain('No dispatcher is running')
    const ready = await shop.condition(subscription, 'billing', 'Ready', 'False', 'NotDelivering')
    expect(ready.message).toBe(message)
    expect((await shop.events(subscription, 'billing')).at(-1)).toMatchObject({
      type: 'Warning',
      reason: 'NotDelivering',
    })

    await shop.own.apply(manifests(2))
    await shop.start('dispatcher', { args: ['--allow-loopback'] })
    const again = await shop.condition(subscription, 'billing', 'Ready', 'True', 'Ready', within30s)
    expect(again.observedGeneration).toBe(2)
    await shop.condition(subscription, 'billing', 'Delivering', 'True')
  })
})
