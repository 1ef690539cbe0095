import { ownNamespace } from '../own-namespace.ts'
import { inRepository, type World } from '../world.ts'

const shopFiles = ['-f', inRepository('examples/kubernetes'), '-f', inRepository('examples/omega')]

/** Applies the examples. Without them nothing else can be judged. */
export const openShop = async ({ cluster, report }: World): Promise<boolean> => {
  report.section('The shop')
  const applied = await report.step('kubectl apply -f examples/kubernetes -f examples/omega', async () => {
    await ownNamespace(cluster, 'shop')
    await cluster.kubectl(['apply', ...shopFiles])
  })
  if (!applied) return false
  const isReady = await report.step('kubectl wait --for=condition=Ready subscriptions --all, within 60 s', async () => {
    const wait = ['-n', 'shop', 'wait', '--for=condition=Ready', '--all', '--timeout=60s']
    await cluster.kubectl([...wait, 'subscriptions'])
    await cluster.kubectl([...wait, 'pods'])
  })
  await report.step('applied once more, nothing changes', async () => {
    const said = await cluster.kubectl(['apply', ...shopFiles])
    // Of a Secret with stringData kubectl always says `configured`.
    const changed = said.split('\n').filter((line) => !/^$|^secret\/| unchanged$/.test(line))
    if (changed.length > 0) throw new Error(changed.join(', '))
  })
  return isReady
}
