import { parseArgs } from 'node:util'
import { poisonOrder } from '../examples/omega/demo/poison-order.ts'
import { sentOrNotSent } from '../examples/omega/demo/sent-or-not-sent.ts'
import { shippingDown } from '../examples/omega/demo/shipping-down.ts'
import { openApiProxy } from './api-proxy.ts'
import { openBrokerAccess } from './broker-access.ts'
import { type Cluster, findCluster } from './cluster.ts'
import { clusterShop } from './cluster-shop.ts'
import { diagnose } from './diagnose.ts'
import { provideImage, provideOlderImage } from './image.ts'
import { createReport, type Report } from './report.ts'
import { brokerGone } from './steps/broker-gone.ts'
import { lookInBrowser } from './steps/console.ts'
import { deletion } from './steps/deletion.ts'
import { brokenThings } from './steps/faults.ts'
import { installOlder } from './steps/install.ts'
import { look } from './steps/look.ts'
import { openShop } from './steps/open-shop.ts'
import { plugin } from './steps/plugin.ts'
import { podsKilled } from './steps/pods-killed.ts'
import { retained } from './steps/retained.ts'
import { uninstall } from './steps/uninstall.ts'
import { upgrade } from './steps/upgrade.ts'
import { upgradeFromOlder } from './steps/upgrade-from-older.ts'
import { assertUndefined, assertVacant, removeRemains, tidy } from './tidy.ts'
import type { World } from './world.ts'

const help = `npm run e2e              tests Waybill in a real cluster; exits 0 if every step passes
npm run e2e -- --keep    leaves everything in place afterwards

Uses the cluster of KUBECONFIG or of kubectl's current context; without one, starts ../shared/cluster if it exists.
kubectl and helm must be on PATH. Two images, of this release and of the older one in e2e/older-release, are built and
loaded into ../shared/cluster or a kind cluster; for any other cluster, set WAYBILL_IMAGE and WAYBILL_OLDER_IMAGE to
images that it can pull.
The run creates the namespaces waybill-system, shop, waybill-e2e-faults and waybill-e2e-doomed, and deletes them in the
end. The cluster must not have Waybill's CRDs: an older release comes first, with its own, and is upgraded.
`

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const judge = async (world: World, closing: AsyncDisposableStack): Promise<void> => {
  if (!(await installOlder(world)) || !(await openShop(world))) return
  const { report } = world
  const broker = closing.adopt(await openBrokerAccess(world.cluster), ({ close }) => close())
  const shop = clusterShop(world.cluster, world.proxy, broker)
  const inShop = { ...world, broker, shop }
  if (!(await upgradeFromOlder(inShop))) return
  await look(world)
  await lookInBrowser(world).catch(failedEarly(report, lookInBrowser.name))
  for (const story of [sentOrNotSent, shippingDown, poisonOrder]) {
    await story(shop, report.say).catch(failedEarly(report, story.name))
    for (const subscriber of [shop.mailing, shop.billing, shop.shipping]) await subscriber.answer({ status: 204 })
  }
  for (const step of [plugin, podsKilled, brokenThings, deletion, retained, brokerGone, upgrade, uninstall]) {
    await step(inShop).catch(failedEarly(report, step.name))
  }
}

/** Counts a story or a section that threw as a failed step. */
const failedEarly =
  ({ step }: Report, name: string) =>
  async (error: unknown) => {
    await step(`${name} runs to its end`, () => Promise.reject(error))
  }

const runOn = async (cluster: Cluster, keep: boolean): Promise<{ passed: number; failed: number }> => {
  await using closing = new AsyncDisposableStack()
  await assertVacant(cluster)
  await removeRemains(cluster)
  await assertUndefined(cluster)
  const proxy = closing.adopt(await openApiProxy(cluster), ({ close }) => close())
  const report = createReport(print, () => diagnose(cluster))
  const { counts } = report
  report.section(`Waybill in ${cluster.origin}`)
  let image: World['image'] = []
  let olderImage: World['image'] = []
  const hasImages = await report.step(
    'the images of this release and of the older one are built and loaded into the cluster',
    async () => {
      image = await provideImage(cluster)
      olderImage = await provideOlderImage(cluster)
    },
  )
  if (hasImages)
    await judge({ cluster, proxy, report, image, olderImage }, closing).catch(failedEarly(report, 'the run'))
  report.section('Cleanup')
  if (keep) print('Everything is left in place; the next run removes it.')
  else await report.step('everything that the run created is removed from the cluster', () => tidy(cluster))
  return counts
}

const { values: options } = parseArgs({ options: { keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
if (options.help) {
  print(help)
  process.exit(0)
}
// Processes that this run started are killed on exit.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
const cluster = await findCluster(print)
let counts = { passed: 0, failed: 0 }
try {
  counts = await runOn(cluster, options.keep ?? false)
} catch (error) {
  console.error(error)
  counts.failed += 1
} finally {
  if (!options.keep) await cluster.stop()
}
print(`\n${counts.passed} passed, ${counts.failed} failed`)
process.exit(counts.failed === 0 ? 0 : 1)
