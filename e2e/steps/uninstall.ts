import assert from 'node:assert/strict'
import { acceptedAll } from '../../examples/omega/demo/shop.ts'
import { eventually } from '../../test/support/wait.ts'
import { becomes } from '../conditions.ts'
import { listOf, subscriptionOf } from '../manifests.ts'
import { podsOfWaybill, release, system } from '../names.ts'
import type { ShopWorld } from '../world.ts'
import { installChart } from './install.ts'

const parked = 'waybill.sub.shop.parked'
const subscribers = ['mailing', 'billing', 'shipping'] as const

const queuesOf = (name: string): string[] => ['sub', 'retry', 'dlq'].map((what) => `waybill.${what}.shop.${name}`)

/** Uninstalling retains the queues and their messages; they are delivered after the next installation. */
export const uninstall = async (world: ShopWorld): Promise<void> => {
  const { cluster, proxy, report, shop, broker } = world
  report.section('Uninstall and reinstall')
  const apply = (suspend: boolean) => {
    const filter = { routingKeys: ['order.parked'] }
    return cluster.kubectl(['apply', '-f', '-'], {
      input: listOf(subscriptionOf('shop', 'parked', 'orders', { filter, suspend })),
    })
  }
  const held = async (queue: string, count: number) => {
    await eventually(async () => (await shop.held(queue)) === count, { timeoutMs: 30_000, everyMs: 250 })
  }
  let waiting: string[] = []
  await report.step('the notes of the chart say what uninstalling leaves in place', async () => {
    const notes = await cluster.helm(['-n', system, 'get', 'notes', release])
    assert.match(notes, /Uninstalling leaves [\s\S]*queues and messages/)
  })
  await report.step('helm uninstall retains every queue that contains messages', async () => {
    await apply(true)
    await becomes(proxy, { namespace: 'shop', path: 'subscriptions/parked' }, 'Programmed', 'True', 20_000)
    waiting = await broker.publish(Array.from({ length: 3 }, () => ({ routingKey: 'order.parked', body: {} })))
    await held(parked, 3)
    const before = await broker.queues()
    await cluster.helm(['-n', system, 'uninstall', release, '--wait', '--timeout', '120s'])
    // Helm does not wait for pods.
    await cluster.kubectl(['-n', system, 'wait', '--for=delete', 'pods', '-l', podsOfWaybill, '--timeout=60s'])
    const after = await broker.queues()
    const full = Object.keys(before).filter((queue) => before[queue] !== 0)
    assert.deepEqual(
      full.filter((queue) => after[queue] !== before[queue]),
      [],
    )
    return full.map((queue) => `${queue} (${after[queue]})`).join(', ')
  })
  let orders: string[] = []
  await report.step('orders published while Waybill is uninstalled wait in the queues', async () => {
    orders = await shop.placeOrders(10)
    for (const name of subscribers) await held(`waybill.sub.shop.${name}`, 10)
  })
  await report.step('the waiting messages are delivered after Waybill is installed again', async () => {
    await installChart(world)
    const delivered = async () =>
      (await Promise.all(subscribers.map((name) => acceptedAll(shop[name], orders)))).every(Boolean)
    await eventually(delivered, { timeoutMs: 60_000, everyMs: 250 })
    await apply(false)
    await eventually(() => acceptedAll(shop.shipping, waiting), { timeoutMs: 30_000, everyMs: 250 })
  })
  await report.step(
    'deleting all resources as the chart says removes empty queues, that of the replayed dead letter too',
    async () => {
      await cluster.kubectl(['-n', 'shop', 'delete', 'wbs,wbq,wbt', '--all', '--timeout=60s'])
      await cluster.kubectl(['-n', 'shop', 'delete', 'waybill', '--all', '--timeout=60s'])
      const left = await broker.queues()
      const empty = ['mailing', 'shipping', 'billing'].flatMap(queuesOf)
      const still = empty.filter((queue) => queue in left)
      assert.deepEqual(still, [])
    },
  )
}
