import assert from 'node:assert/strict'
import type { Subscription } from '../../src/api/kinds/subscription.ts'
import { watchReadiness } from '../../test/support/readiness-watch.ts'
import { eventually } from '../../test/support/wait.ts'
import { startLoad } from '../load.ts'
import { olderVersion, release, system } from '../names.ts'
import { leaderOf, podsOf } from '../waybill-pods.ts'
import { inRepository, type ShopWorld } from '../world.ts'

/** Of kinds that the older release does not know. */
const newKinds = ['replays.waybill.dev', 'discards.waybill.dev']

/** A pod that ends finishes what it has in flight, so hardly any order comes twice. */
const atMostTwice = 5

/** The older release is upgraded to this one while orders are published. The other steps need it. */
export const upgradeFromOlder = async (world: ShopWorld): Promise<boolean> => {
  const { cluster, proxy, report, shop, broker } = world
  report.section(`Upgrade from the older release (${olderVersion}) while orders are published`)
  const load = startLoad(shop, { perSecond: 50 })
  const readiness = await watchReadiness(proxy, 'shop')
  const before = await podsOf(proxy)
  const isUpgraded = await report.step('helm upgrade --take-ownership to this release replaces every pod', async () => {
    assert.deepEqual(await definitionsOf(world), [], 'the older release has kinds that were thought to be new')
    const chart = inRepository('charts/waybill')
    const args = ['-n', system, ...world.image, '--reset-values', '--take-ownership', '--wait', '--timeout', '180s']
    await cluster.helm(['upgrade', release, chart, ...args])
    const uids = new Set(before.map(({ metadata }) => metadata.uid))
    assert(
      (await podsOf(proxy)).every(({ metadata }) => !uids.has(metadata.uid)),
      'a pod of the older release is left',
    )
  })
  await report.step('the CRDs of new kinds are there', async () => {
    assert.deepEqual(await definitionsOf(world), newKinds.toSorted())
  })
  await report.step('the new pods lead, and every Subscription has a status of theirs', () =>
    eventually(() => isTakenOver(world), { timeoutMs: 60_000, everyMs: 500 }).then(() => undefined),
  )
  await report.step('no order was lost, and hardly any delivered twice', () => load.arrived(atMostTwice))
  await report.step('no Subscription was anything but Ready at any time', async () => {
    const { flaps, events } = await readiness.end()
    assert.deepEqual(flaps, [])
    return `${events} changes were watched`
  })
  await report.step('nothing was dead-lettered', async () => {
    const letters = Object.entries(await broker.queues()).filter(([name]) => name.startsWith('waybill.dlq.'))
    assert(letters.length > 0, 'there are no dead-letter queues')
    assert.deepEqual(Object.fromEntries(letters.filter(([, messages]) => messages > 0)), {})
  })
  return isUpgraded
}

const definitionsOf = async ({ cluster }: ShopWorld): Promise<readonly string[]> => {
  const named = await cluster.kubectl(['get', 'customresourcedefinitions', '-o', 'name'])
  const names = named.split('\n').map((name) => name.replace(/^.*\//, ''))
  return names.filter((name) => newKinds.includes(name)).toSorted()
}

const isTakenOver = async ({ proxy }: ShopWorld): Promise<boolean> => {
  for (const component of ['operator', 'dispatcher'] as const) {
    const [leader, pods] = await Promise.all([leaderOf(proxy, component), podsOf(proxy, component)])
    if (!pods.some(({ metadata }) => metadata.name === leader)) return false
  }
  const path = '/apis/waybill.dev/v1alpha1/namespaces/shop/subscriptions'
  const { items } = await proxy.get<{ items: Subscription[] }>(path)
  // The older release writes no generation of the status as a whole.
  return items.every(({ metadata, status }) => status?.observedGeneration === metadata.generation)
}
