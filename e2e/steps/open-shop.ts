import { ownNamespace } from '../own-namespace.ts'
import { inRepository, type World } from '../world.ts'

const shopFiles = ['-f', inRepository('examples/kubernetes'), '-f', inRepository('examples/omega')]

/** Applies the examples. The other steps need them. */
export const openShop = async ({ cluster, report }: World): Promise<boolean> => {
  report.section('The example shop')
  const applied = await report.step('kubectl apply -f examples/kubernetes -f examples/omega succeeds', async () => {
    await ownNamespace(cluster, 'shop')
    await cluster.kubectl(['apply', ...shopFiles])
  })
  if (!applied) return false
  const isReady = await report.step('all subscriptions and pods of the shop become Ready within 60 s', async () => {
    const wait = ['-n', 'shop', 'wait', '--for=condition=Ready', '--all', '--timeout=60s']
    await cluster.kubectl([...wait, 'subscriptions'])
    await cluster.kubectl([...wait, 'pods'])
  })
  await report.step('applying the examples a second time changes nothing', async () => {
    const output = await cluster.kubectl(['apply', ...shopFiles])
    // kubectl always reports a Secret with stringData as `configured`.
    const changed = output.split('\n').filter((line) => !/^$|^secret\/| unchanged$/.test(line))
    if (changed.length > 0) throw new Error(`changed: ${changed.join(', ')}`)
  })
  return isReady
}
