import { subscription } from '../../src/api/kinds/subscription.ts'
import { describeWithHelm } from '../support/api-server.ts'
import { openClusterShop } from '../support/cluster-shop.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { promtool } from '../support/prometheus.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

const within30s = { timeoutMs: 30_000 }

const metricsOf = async ({ server }: { readonly server: string }): Promise<string> =>
  (await fetch(`${server}/metrics`)).text()
const delivering = (reason: string, value: number): RegExp =>
  new RegExp(`^waybill_subscription_delivering\\{.*subscription="billing",reason="${reason}"\\} ${value}$`, 'm')

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
    const operator = await shop.start('operator')
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

    await eventually(async () => (await metricsOf(operator)).match(delivering('NoDispatcher', 0)))

    await shop.own.apply(manifests(2))
    const next = await shop.start('dispatcher', { args: ['--allow-loopback'] })
    const again = await shop.condition(subscription, 'billing', 'Ready', 'True', 'Ready', within30s)
    expect(again.observedGeneration).toBe(2)
    await shop.condition(subscription, 'billing', 'Delivering', 'True')
    for (const [process, component] of [
      [operator, 'operator'],
      [next, 'dispatcher'],
    ] as const) {
      await eventually(async () => (await metricsOf(process)).match(delivering('Delivering', 1)))
      const text = await metricsOf(process)
      expect(text.match(/^waybill_build_info\{component="\w+"/gm)).toEqual([
        `waybill_build_info{component="${component}"`,
      ])
      expect(text).toMatch(/^waybill_resources_outdated\{kind="Subscription"\} 0$/m)
      expect(await promtool(['check', 'metrics'], { input: text })).toEqual({ code: 0, out: '' })
    }
  }, 180_000)
})
