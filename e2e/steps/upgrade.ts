import assert from 'node:assert/strict'
import { startLoad } from '../load.ts'
import { release, system } from '../names.ts'
import { podsOf } from '../waybill-pods.ts'
import { inRepository, type ShopWorld } from '../world.ts'

/** A changed value replaces every pod, and every right with fewer, while orders come in. */
export const upgrade = async ({ cluster, proxy, report, shop, image }: ShopWorld): Promise<void> => {
  report.section('An upgrade while orders come in')
  const load = startLoad(shop)
  const uids = async () => (await podsOf(proxy)).map(({ metadata }) => metadata.uid)
  await report.step('helm upgrade to one watched namespace replaces every pod, and ClusterRoles by Roles', async () => {
    const before = await uids()
    const args = ['-n', system, ...image, '--set', 'watchNamespaces={shop}', '--wait', '--timeout', '180s']
    await cluster.helm(['upgrade', release, inRepository('charts/waybill'), ...args])
    const still = (await uids()).filter((uid) => before.includes(uid))
    assert.deepEqual(still, [])
    const roles = await cluster.kubectl([
      'get',
      'clusterroles',
      '-l',
      `app.kubernetes.io/instance=${release}`,
      '-o',
      'name',
    ])
    assert.equal(roles, '')
  })
  await report.step('nothing was lost', () => load.arrived())
}
