import { eventually } from '../test/support/wait.ts'
import type { Cluster } from './cluster.ts'
import { ownLabel, release, system } from './names.ts'

const names = async ({ kubectl }: Cluster, args: readonly string[]): Promise<string[]> =>
  (await kubectl(['get', ...args, '-o', 'name'])).split('\n').filter(Boolean)

/** `brokers.waybill.dev` of `customresourcedefinition.apiextensions.k8s.io/brokers.waybill.dev`. */
const bare = (name: string): string => name.replace(/^.*\//, '')

/** The CustomResourceDefinitions of Waybill that the cluster has. */
const crdsOf = async (cluster: Cluster): Promise<string[]> =>
  (await names(cluster, ['customresourcedefinitions'])).filter((name) => name.endsWith('.waybill.dev'))

/** @throws when the cluster has a namespace that the run would create */
export const assertVacant = async (cluster: Cluster): Promise<void> => {
  const own = await names(cluster, ['namespaces', '-l', ownLabel])
  const foreign = (await names(cluster, ['namespaces'])).filter((name) => !own.includes(name))
  const taken = foreign.filter((name) => [`namespace/${system}`, 'namespace/shop'].includes(name))
  if (taken.length > 0)
    throw new Error(`The cluster already has ${taken.join(' and ')}, which this run creates. Delete it first`)
}

/** @throws when the cluster has definitions of Waybill: the older release, which the run begins with, needs its own */
export const assertUndefined = async (cluster: Cluster): Promise<void> => {
  const found = await crdsOf(cluster)
  if (found.length > 0)
    throw new Error(`The cluster already has ${found.map(bare).join(', ')}. Use one without, or delete them first`)
}

/** Removes everything that a run created. */
export const tidy = async (cluster: Cluster): Promise<void> => {
  const { kubectl, helm } = cluster
  const namespaces = await names(cluster, ['namespaces', '-l', ownLabel])
  const ours = (await crdsOf(cluster)).map(bare).join(',')
  // Before the namespace of the broker: without the broker, Waybill would wait before it removes its finalizers.
  if (ours !== '' && namespaces.includes('namespace/shop')) {
    await kubectl(['-n', 'shop', 'delete', ours, '--all', '--timeout=60s'])
  }
  await helm(['-n', system, 'uninstall', release, '--wait', '--ignore-not-found', '--timeout', '120s'])
  if (namespaces.length > 0) await kubectl(['delete', ...namespaces, '--timeout=120s'])
  const made = await crdsOf(cluster)
  if (made.length > 0) await kubectl(['delete', ...made, '--timeout=60s'])
  const all = [
    'clusterroles,clusterrolebindings,customresourcedefinitions',
    '-l',
    `app.kubernetes.io/instance=${release}`,
  ]
  const left = await names(cluster, all)
  if (left.length > 0) throw new Error(`These objects were not removed: ${left.join(', ')}`)
}

/** Removes what an interrupted run left behind. */
export const removeRemains = async (cluster: Cluster): Promise<void> => {
  const { kubectl, helm } = cluster
  const remains = () => names(cluster, ['namespaces', '-l', ownLabel])
  const namespaces = await remains()
  if (namespaces.length === 0) return
  // Waybill is removed first, because it would add the finalizers again; then they are removed here.
  await helm(['-n', system, 'uninstall', release, '--wait', '--ignore-not-found', '--timeout', '120s'])
  await kubectl(['delete', ...namespaces, '--wait=false'])
  const kinds = (await crdsOf(cluster)).map(bare)
  const gone = async () => {
    for (const namespace of (await remains()).map(bare)) await dropFinalizers(cluster, namespace, kinds)
    return (await remains()).length === 0
  }
  await eventually(gone, { timeoutMs: 120_000, everyMs: 1_000 })
  // A cluster that had the definitions before the run still has resources of them.
  const inUse = kinds.length > 0 && (await kubectl(['get', kinds.join(','), '-A', '-o', 'name'])) !== ''
  if (kinds.length > 0 && !inUse) await kubectl(['delete', 'customresourcedefinitions', ...kinds, '--timeout=60s'])
}

const dropFinalizers = async (cluster: Cluster, namespace: string, kinds: readonly string[]): Promise<void> => {
  const patch = ['--type=merge', '-p', '{"metadata":{"finalizers":null}}']
  for (const name of kinds.length === 0 ? [] : await names(cluster, ['-n', namespace, kinds.join(',')])) {
    // The resource may have been removed in the meantime.
    await cluster.kubectl(['-n', namespace, 'patch', name, ...patch]).catch(() => {})
  }
}
