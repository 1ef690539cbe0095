import assert from 'node:assert/strict'
import { release, system } from '../names.ts'
import { ownNamespace } from '../own-namespace.ts'
import { podsOf } from '../waybill-pods.ts'
import { inRepository, type World } from '../world.ts'

export const installChart = async ({ cluster, image }: World, ...more: readonly string[]): Promise<string> => {
  // The CRDs may be there already.
  const args = ['-n', system, ...image, ...more, '--take-ownership', '--wait', '--timeout', '120s']
  return cluster.helm(['install', release, inRepository('charts/waybill'), ...args])
}

/** Installs Waybill into a namespace that enforces `restricted`. The other steps need it. */
export const install = async (world: World): Promise<boolean> => {
  const { cluster, proxy, report } = world
  report.section('Install')
  return report.step(
    'helm install waybill charts/waybill succeeds in a namespace that enforces restricted',
    async () => {
      await ownNamespace(cluster, system, 'pod-security.kubernetes.io/enforce=restricted')
      await installChart(world)
      const [operators, dispatchers] = await Promise.all([podsOf(proxy, 'operator'), podsOf(proxy, 'dispatcher')])
      assert(operators.length >= 2, `expected at least 2 operator pods, found ${operators.length}`)
      assert(dispatchers.length >= 2, `expected at least 2 dispatcher pods, found ${dispatchers.length}`)
      return `${operators.length} operators and ${dispatchers.length} dispatchers are ready`
    },
  )
}
