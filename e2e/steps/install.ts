import assert from 'node:assert/strict'
import { olderVersion, release, system } from '../names.ts'
import { ownNamespace } from '../own-namespace.ts'
import { podsOf } from '../waybill-pods.ts'
import { inRepository, type World } from '../world.ts'

export const installChart = async ({ cluster, image }: World, ...more: readonly string[]): Promise<string> => {
  // The CRDs may be there already.
  const args = ['-n', system, ...image, ...more, '--take-ownership', '--wait', '--timeout', '120s']
  return cluster.helm(['install', release, inRepository('charts/waybill'), ...args])
}

/**
 * Installs the older release into a namespace that enforces `restricted`. The other steps need it; the one that
 * uninstalls has this release installed afresh.
 */
export const installOlder = async (world: World): Promise<boolean> => {
  const { cluster, proxy, report, olderImage } = world
  report.section('Install')
  return report.step('helm install of the older release succeeds in a namespace that enforces restricted', async () => {
    await ownNamespace(cluster, system, 'pod-security.kubernetes.io/enforce=restricted')
    const chart = inRepository(`e2e/older-release/waybill-${olderVersion}.tgz`)
    await cluster.helm(['install', release, chart, '-n', system, ...olderImage, '--wait', '--timeout', '120s'])
    const [operators, dispatchers] = await Promise.all([podsOf(proxy, 'operator'), podsOf(proxy, 'dispatcher')])
    assert(operators.length >= 2, `expected at least 2 operator pods, found ${operators.length}`)
    assert(dispatchers.length >= 2, `expected at least 2 dispatcher pods, found ${dispatchers.length}`)
    return `${operators.length} operators and ${dispatchers.length} dispatchers are ready`
  })
}
