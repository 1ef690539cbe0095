import assert from 'node:assert/strict'
import { startLoad } from '../load.ts'
import { release, system } from '../names.ts'
import { podsOf } from '../waybill-pods.ts'
import { inRepository, type ShopWorld } from '../world.ts'

/**
 * An upgrade to a single watched namespace replaces every pod and reduces the permissions while orders are published.
 */
export const upgrade = async ({ cluster, proxy, report, shop, image }: ShopWorld): Promise<void> => {
  report.section('Upgrade while orders are published')
  const load = startLoad(shop)
  const uids = async () => (await podsOf(proxy)).map(({ metadata }) => metadata.uid)
  await report.step(
    'helm upgrade to one watched namespace replaces every pod, and ClusterRoles with Roles',
    async () => {
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
      // The right to take finalizers off outlives a namespace.
      assert.equal(roles.trim(), `clusterrole.rbac.authorization.k8s.io/${release}-operator-finalizers`)
    },
  )
  await report.step('no order was lost during the upgrade', () => load.arrived())
}
