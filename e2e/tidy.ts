import type { Cluster } from './cluster.ts'
import { ownLabel, release, system } from './names.ts'

const names = async ({ kubectl }: Cluster, args: readonly string[]): Promise<string[]> =>
  (await kubectl(['get', ...args, '-o', 'name'])).split('\n').filter(Boolean)

/** The CustomResourceDefinitions of Waybill that the cluster has. */
export const crdsOf = async (cluster: Cluster): Promise<string[]> =>
  (await names(cluster, ['customresourcedefinitions'])).filter((name) => name.endsWith('.waybill.dev'))

/** @throws when there is something in the cluster that a run would take for its own */
export const assertVacant = async (cluster: Cluster): Promise<void> => {
  const own = await names(cluster, ['namespaces', '-l', ownLabel])
  const foreign = (await names(cluster, ['namespaces'])).filter((name) => !own.includes(name))
  const taken = foreign.filter((name) => [`namespace/${system}`, 'namespace/shop'].includes(name))
  if (taken.length > 0)
    throw new Error(`The cluster has ${taken.join(' and ')}, which this run would make: delete it first`)
}

/** Removes all that a run made; custom resource definitions of `keep` stay. */
export const tidy = async (cluster: Cluster, keep: readonly string[]): Promise<void> => {
  const { kubectl, helm } = cluster
  const namespaces = await names(cluster, ['namespaces', '-l', ownLabel])
  const ours = (await crdsOf(cluster)).map((name) => name.replace(/^.*\//, '')).join(',')
  // While the broker is there, which goes with its namespace: Waybill would wait for it.
  if (ours !== '' && namespaces.includes('namespace/shop')) {
    await kubectl(['-n', 'shop', 'delete', ours, '--all', '--timeout=60s'])
  }
  await helm(['-n', system, 'uninstall', release, '--wait', '--ignore-not-found', '--timeout', '120s'])
  if (namespaces.length > 0) await kubectl(['delete', ...namespaces, '--timeout=120s'])
  const made = (await crdsOf(cluster)).filter((name) => !keep.includes(name))
  if (made.length > 0) await kubectl(['delete', ...made, '--timeout=60s'])
  const all = [
    'clusterroles,clusterrolebindings,customresourcedefinitions',
    '-l',
    `app.kubernetes.io/instance=${release}`,
  ]
  const left = (await names(cluster, all)).filter((name) => !keep.includes(name))
  if (left.length > 0) throw new Error(`left over: ${left.join(', ')}`)
}

/** Removes what a run that broke off left behind, without waiting for a Waybill that may not run. */
export const removeRemains = async (cluster: Cluster): Promise<void> => {
  const { kubectl } = cluster
  const namespaces = (await names(cluster, ['namespaces', '-l', ownLabel])).map((name) => name.replace(/^.*\//, ''))
  const kinds = (await crdsOf(cluster)).map((name) => name.replace(/^.*\//, ''))
  for (const namespace of namespaces) {
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
    for (const kind of kinds) {
      for (const name of await names(cluster, ['-n', namespace, kind])) {
        const patch = '{"metadata":{"finalizers":null}}'
        await kubectl(['-n', namespace, 'patch', name, '--type=merge', '-p', patch]).catch(() => {})
      }
    }
  }
  if (namespaces.length > 0) await tidy(cluster, [])
}
