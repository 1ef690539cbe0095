import { join } from 'node:path'
import type { Manifest } from '../../test/support/manifests.ts'
import type { Vhost } from '../../test/support/vhost.ts'
import { peakRssMiBOf } from '../process-tree.ts'
import { startProgram } from '../program.ts'
import { type Setting, say } from '../setting.ts'
import { type Cluster, onFreshCluster } from './cluster.ts'
import { untilReady } from './readiness.ts'
import { waitFor } from './wait-for.ts'

const namespace = 'shop'
const base = `/apis/rabbitmq.com/v1beta1/namespaces/${namespace}`
const collections = [`${base}/queues`, `${base}/bindings`]
const limitMs = 900_000

export type PeerFigures = { readonly seconds: number; readonly peakRssMiB: number }

/**
 * How long messaging-topology-operator takes from its start until quorum queues, with a binding each, are all Ready.
 */
export const topologyOperator = (
  { binary, crds }: { readonly binary: string; readonly crds: string },
  count: number,
  { onFreshVhost, signal }: Setting,
): Promise<PeerFigures> =>
  onFreshVhost((vhost, folder) =>
    onFreshCluster(async (cluster) => {
      await cluster.install(crds, collections)
      await createAll(cluster, vhost, count)
      const { done, progress } = await untilReady(cluster, collections, 2 * count, signal)
      const begunMs = performance.now()
      const operator = startProgram([binary, '-metrics-bind-address', '0'], {
        env: { KUBECONFIG: cluster.kubeconfig, OPERATOR_NAMESPACE: namespace, ENABLE_WEBHOOKS: 'false' },
        logFile: join(folder, 'topology-operator.log'),
      })
      try {
        await waitFor(done, { programs: [operator], limitMs, progress, signal })
        const seconds = (performance.now() - begunMs) / 1000
        say(`  ${seconds.toFixed(1)} s until ${count} queues and ${count} bindings are Ready`)
        return { seconds, peakRssMiB: peakRssMiBOf(operator.pid) }
      } finally {
        await operator.stop()
      }
    }),
  )

const createAll = async (cluster: Cluster, vhost: Vhost, count: number): Promise<void> => {
  const manifest = (kind: string, name: string, spec: object): Manifest => ({
    apiVersion: 'rabbitmq.com/v1beta1',
    kind,
    metadata: { name, namespace },
    spec: { vhost: vhost.name, rabbitmqClusterReference: { connectionSecret: { name: 'rabbitmq' } }, ...spec },
  })
  const { username, password } = vhost.endpoint
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'rabbitmq', namespace },
    ...{ stringData: { uri: vhost.managementUrl, username, password } },
  }
  const numbers = Array.from({ length: count }, (_, number) => number)
  await cluster.create(`/api/v1/namespaces/${namespace}/secrets`, [secret])
  await cluster.create(
    `${base}/queues`,
    numbers.map((number) =>
      manifest('Queue', `queue-${number}`, { name: `queue-${number}`, type: 'quorum', durable: true }),
    ),
  )
  await cluster.create(
    `${base}/bindings`,
    numbers.map((number) =>
      manifest('Binding', `binding-${number}`, {
        source: 'amq.topic',
        destination: `queue-${number}`,
        destinationType: 'queue',
        routingKey: `order.${number}`,
      }),
    ),
  )
}
