import assert from 'node:assert/strict'
import { eventually } from '../../test/support/wait.ts'
import type { ApiProxy } from '../api-proxy.ts'
import { run } from '../command.ts'
import { becomes, type Conditioned, resource } from '../conditions.ts'
import { listOf, subscriptionOf } from '../manifests.ts'
import { inRepository, type ShopWorld } from '../world.ts'

const queue = 'waybill.sub.shop.left'
const broker = { namespace: 'shop', path: 'brokers/rabbitmq' }

/** What a deleted Subscription left on the broker is shown, kept while messages are in it, and removed when asked for. */
export const retained = async (world: ShopWorld): Promise<void> => {
  const { cluster, proxy, report, shop } = world
  report.section('waybill retained')
  const waybill = (...args: string[]) =>
    run(process.execPath, [inRepository('src/cli/main.ts'), 'retained', ...args, '--kubernetes'], { env: cluster.env })
  await report.step(
    'waybill retained rm --empty removes what holds no message, such as of a namespace that went',
    async () => {
      await waybill('rm', 'shop/rabbitmq', '--empty')
      await conditionGoes(proxy)
    },
  )
  await report.step('a Subscription is deleted, and RetainedPresent says that its queue holds messages', async () => {
    const filter = { routingKeys: ['order.left'] }
    await cluster.kubectl(['apply', '-f', '-'], {
      input: listOf(subscriptionOf('shop', 'left', 'orders', { filter, suspend: true })),
    })
    await becomes(proxy, { namespace: 'shop', path: 'subscriptions/left' }, 'Programmed', 'True', 20_000)
    await world.broker.publish(Array.from({ length: 3 }, () => ({ routingKey: 'order.left', body: {} })))
    await eventually(async () => (await shop.held(queue)) === 3, { timeoutMs: 20_000, everyMs: 250 })
    await cluster.kubectl(['-n', 'shop', 'delete', 'subscription', 'left', '--timeout=60s'])
    const { reason, message } = (await becomes(proxy, broker, 'RetainedPresent', 'True', 30_000)).condition
    assert.equal(reason, 'Retained')
    assert(message.includes(queue), message)
    return message
  })
  await report.step('waybill retained ls lists the queue', async () => {
    assert.match(await waybill('ls', '-n', 'shop'), /shop\/rabbitmq +queue waybill\.sub\.shop\.left/)
  })
  await report.step(
    'waybill retained rm removes nothing that holds messages, nor more of them than it was told',
    async () => {
      const refused = /still there, as messages are in one of the queues .*waybill\.sub\.shop\.left/
      await assert.rejects(waybill('rm', 'shop/rabbitmq', queue, '--timeout', '4s'), refused)
      await assert.rejects(waybill('rm', 'shop/rabbitmq', queue, '--with-messages', '2', '--timeout', '4s'), refused)
      assert.equal((await world.broker.look(queue)).length, 3)
    },
  )
  await report.step('waybill retained rm --with-messages removes it, and the condition goes', async () => {
    await waybill('rm', 'shop/rabbitmq', queue, '--with-messages', '3')
    assert(!(queue in (await world.broker.queues())))
    await conditionGoes(proxy)
  })
}

const conditionGoes = async (proxy: ApiProxy): Promise<void> => {
  const isPresent = async () =>
    (await resource<Conditioned>(proxy, broker)).status?.conditions?.some(
      ({ type, status }) => type === 'RetainedPresent' && status === 'True',
    ) ?? false
  await eventually(async () => !(await isPresent()), { timeoutMs: 30_000, everyMs: 250 })
}
