import { broker } from '../../src/api/kinds/broker.ts'
import { queue } from '../../src/api/kinds/queue.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import { describeWithHelm } from '../support/api-server.ts'
import { openClusterShop } from '../support/cluster-shop.ts'
import { brokerOf, deadLetterPolicyOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'
import { kstatus } from './kstatus.ts'

const kinds = [broker, topic, queue, subscription]
const names: Readonly<Record<string, string>> = {
  Broker: 'rabbitmq',
  Topic: 'orders',
  Queue: 'work',
  Subscription: 'billing',
}

describeWithHelm('resources that are kept in Git', () => {
  test('apply in any order, differ in nothing from what was applied, follow a change, and are pruned all at once', async () => {
    await using shop = await openClusterShop()
    await using cleanUp = new AsyncDisposableStack()
    const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
    const manifests = (concurrency: number) =>
      [
        ...brokerOf(shop.vhost),
        topicOf('orders'),
        queueOf('work', { bindings: [{ topicRef: { name: 'orders' } }] }),
        deadLetterPolicyOf('keep', { default: true }),
        subscriptionOf('billing', 'orders', subscriber.url, { delivery: { concurrency } }),
      ].toReversed()
    const input = (concurrency: number): string => {
      const items = manifests(concurrency).map((one) => ({
        ...one,
        metadata: { ...one.metadata, namespace: shop.own.name },
      }))
      return JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    }
    // kubectl diff ends with 1, and so this throws, where it finds any.
    const diffs = async (): Promise<string> =>
      (await shop.own.kubectl(['diff', '-f', '-'], { input: input(1) })) +
      (await shop.own.kubectl(['diff', '--server-side', '--field-manager=git', '-f', '-'], { input: input(1) }))
    const all = () => Promise.all(kinds.map((kind) => shop.get(kind, names[kind.kind] ?? '')))

    await shop.own.kubectl(['apply', '--server-side', '--field-manager=git', '-f', '-'], { input: input(1) })
    expect((await all()).map((one) => one?.status)).toEqual(kinds.map(() => ({ observedGeneration: -1 })))
    await shop.start('operator')
    await shop.start('dispatcher', { args: ['--allow-loopback'] })
    await eventually(
      async () => {
        const found = await all()
        if (found.some((one) => one === undefined || kstatus(one) !== 'Current')) throw new Error(JSON.stringify(found))
        return true
      },
      { timeoutMs: 60_000 },
    )
    expect(await diffs()).toBe('')

    await shop.own.kubectl(['apply', '--server-side', '--field-manager=git', '-f', '-'], { input: input(2) })
    await eventually(
      async () => {
        const found = await shop.get(subscription, 'billing')
        const ready = found?.status?.conditions?.find(({ type }) => type === 'Ready')
        return found?.status?.observedGeneration === 2 && ready?.observedGeneration === 2 && ready.status === 'True'
      },
      { timeoutMs: 60_000 },
    )
    await shop.own.kubectl(['delete', '--timeout=60s', '-f', '-'], { input: input(2) })
    expect(await all()).toEqual(kinds.map(() => undefined))
  }, 240_000)
})
