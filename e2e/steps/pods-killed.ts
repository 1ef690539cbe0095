import assert from 'node:assert/strict'
import { eventually } from '../../test/support/wait.ts'
import { becomes } from '../conditions.ts'
import { startLoad } from '../load.ts'
import { deleteByForce, leaderOf, podsOf, waybillUp } from '../waybill-pods.ts'
import type { ShopWorld } from '../world.ts'

const withinMs = 60_000

/** Kills pods one after another while orders are published: leaders and followers. */
export const podsKilled = async ({ cluster, proxy, report, shop }: ShopWorld): Promise<void> => {
  report.section('Pods are killed while orders are published')
  const load = startLoad(shop)
  for (const component of ['operator', 'dispatcher'] as const) {
    await report.step(`another ${component} takes over when the leading one is killed`, async () => {
      const leader = await eventually(() => leaderOf(proxy, component))
      await deleteByForce(cluster, leader)
      const next = await eventually(
        async () => {
          const holder = await leaderOf(proxy, component)
          return holder && holder !== leader ? holder : undefined
        },
        { timeoutMs: withinMs, everyMs: 100 },
      )
      const pods = (await podsOf(proxy, component)).map(({ metadata }) => metadata.name)
      assert(pods.includes(next), `the holder of the Lease, ${next}, is not one of the pods ${pods.join(', ')}`)
    })
    await report.step(`the leading ${component} keeps its Lease when another one is killed`, async () => {
      await waybillUp(cluster)
      const leader = await leaderOf(proxy, component)
      const other = (await podsOf(proxy, component)).find(({ metadata }) => metadata.name !== leader)
      assert(other, `there is no second ${component} pod`)
      await deleteByForce(cluster, other.metadata.name)
      assert.equal(await leaderOf(proxy, component), leader)
    })
  }
  await report.step('a new Subscription becomes Ready within 30 s after the pods were killed', async () => {
    const manifest = {
      apiVersion: 'waybill.dev/v1alpha1',
      kind: 'Subscription',
      metadata: { name: 'late', namespace: 'shop' },
      spec: {
        topicRef: { name: 'orders' },
        filter: { routingKeys: ['order.late'] },
        subscriber: { serviceRef: { name: 'shipping', port: 9503 } },
      },
    }
    await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(manifest) })
    const named = { namespace: 'shop', path: 'subscriptions/late' }
    const { took } = await becomes(proxy, named, 'Ready', 'True', 30_000)
    await cluster.kubectl(['-n', 'shop', 'delete', 'subscription', 'late', '--timeout=60s'])
    return took
  })
  await report.step('Waybill becomes ready again when all of its pods are killed at once', async () => {
    const killed = await shop.killWaybill()
    await shop.startWaybill()
    return killed
  })
  await report.step('the Broker becomes Ready again when RabbitMQ is killed and restarts on its disk', async () => {
    const halt = ['rabbitmqctl', 'eval', 'erlang:halt(137, [{flush, false}]).']
    await cluster.kubectl(['-n', 'shop', 'exec', 'rabbitmq-0', '--', ...halt]).catch(() => {}) // The node halts at once.
    await eventually(async () => (await restartsOf(proxy)) > 0, { timeoutMs: 30_000, everyMs: 250 })
    await cluster.kubectl(['-n', 'shop', 'wait', '--for=condition=Ready', 'pod/rabbitmq-0', '--timeout=90s'])
    const { took } = await becomes(proxy, { namespace: 'shop', path: 'brokers/rabbitmq' }, 'Ready', 'True', 30_000)
    return `Ready again after ${took}`
  })
  await report.step('no order was lost while pods were killed', () => load.arrived())
}

const restartsOf = async (proxy: ShopWorld['proxy']): Promise<number> => {
  const pod = await proxy.get<{ status: { containerStatuses: { restartCount: number }[] } }>(
    '/api/v1/namespaces/shop/pods/rabbitmq-0',
  )
  return pod.status.containerStatuses[0]?.restartCount ?? 0
}
