import assert from 'node:assert/strict'
import { startLoad } from '../load.ts'
import { release, system } from '../names.ts'
import { podsOf } from '../waybill-pods.ts'
import { inRepository, type ShopWorld } from '../world.ts'

/** A changed value replaces every pod while orders come in. */
export const upgrade = async ({ cluster, proxy, report, shop, image }: ShopWorld): Promise<void> => {
  report.section('An upgrade while orders come in')
  const load = startLoad(shop)
  const uids = async () => (await podsOf(proxy)).map(({ metadata }) => metadata.uid)
  await report.step('helm upgrade with a changed value replaces every pod', async () => {
    const before = await uids()
    const args = ['-n', system, ...image, '--set', 'logLevel=debug', '--wait', '--timeout', '180s']
    await cluster.helm(['upgrade', release, inRepository('charts/waybill'), ...args])
    const still = (await uids()).filter((uid) => before.includes(uid))
    assert.deepEqual(still, [])
  })
  await report.step('nothing was lost', () => load.arrived())
}
