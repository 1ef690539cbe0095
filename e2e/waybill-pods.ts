import type { ApiProxy } from './api-proxy.ts'
import type { Cluster } from './cluster.ts'
import { podsOfWaybill, system } from './names.ts'

export type Component = 'operator' | 'dispatcher'

type Pod = {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string }
}

/** Waits until all pods of the installation are ready. */
export const waybillUp = async ({ kubectl }: Cluster): Promise<void> => {
  await kubectl(['-n', system, 'rollout', 'status', 'deployments', '-l', podsOfWaybill, '--timeout=120s'])
}

/** The pods of Waybill, or of one component, without those that are terminating. */
export const podsOf = async (proxy: ApiProxy, component?: Component): Promise<readonly Pod[]> => {
  const labels = component ? `${podsOfWaybill},app.kubernetes.io/component=${component}` : podsOfWaybill
  const path = `/api/v1/namespaces/${system}/pods?labelSelector=${encodeURIComponent(labels)}`
  const { items } = await proxy.get<{ items: Pod[] }>(path)
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

/** The pod that holds the Lease of a component. */
export const leaderOf = async (proxy: ApiProxy, component: Component): Promise<string | undefined> => {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${system}/leases/waybill-${component}`
  // The identity is the name of the pod and a suffix that differs for each of its processes.
  return (await proxy.get<{ spec: { holderIdentity?: string } }>(path)).spec.holderIdentity?.replace(/_.*/, '')
}

export const deleteByForce = ({ kubectl }: Cluster, pod: string): Promise<string> =>
  kubectl(['-n', system, 'delete', 'pod', pod, '--force', '--grace-period=0'])

/** The text of /metrics of a pod. */
export const metricsOf = (proxy: ApiProxy, pod: string): Promise<string> =>
  proxy.text(`/api/v1/namespaces/${system}/pods/${pod}:9402/proxy/metrics`)
