import { isApiError } from '../../store/kubernetes/api/api-error.ts'
import type { Client } from '../../store/kubernetes/api/client.ts'
import type { Cluster } from '../../store/kubernetes/cluster/cluster.ts'
import { type Forwarded, forward } from '../../store/kubernetes/forward/forward.ts'
import { forwardPath, type PodPort } from '../../store/kubernetes/forward/tunnel.ts'
import { type Lease, leasePath } from '../../store/kubernetes/lease/lease-record.ts'
import { dataAnnotations } from '../data/notice.ts'
import { exits, Failure } from '../failure.ts'
import { asked } from './asked.ts'
import type { RemoteOptions } from './remote.ts'

/** The data port of the dispatcher that leads. */
export type Leader = Forwarded & {
  readonly url: URL
  /** What to do about a request that got no answer, where the API server says more about it. */
  whyNot(error: unknown): Promise<Failure | undefined>
}

/** Finds the leader by its Lease, which also says where it serves dead letters. @throws Failure */
export const leaderPort = async (
  client: Pick<Client, 'request'>,
  cluster: Cluster,
  options: RemoteOptions,
): Promise<Leader> => {
  const { waybillNamespace = process.env.WAYBILL_NAMESPACE || 'waybill', leaseName = 'waybill-dispatcher' } = options
  const lease = { namespace: waybillNamespace, name: leaseName }
  const shown = `${lease.namespace}/${lease.name}`
  const found = await asked(() =>
    client.request<Lease>({ method: 'GET', path: leasePath(lease) }).catch((error: unknown) => {
      if (!isApiError(error, 404)) throw error
      throw new Failure(
        `no Lease ${shown}: say where Waybill runs with --waybill-namespace, and --lease-name if it has another name`,
      )
    }),
  )
  const holder = found.spec?.holderIdentity
  if (!holder) throw new Failure(`no dispatcher holds the Lease ${shown}: see kubectl -n ${lease.namespace} get pods`)
  const port = Number(found.metadata.annotations?.[dataAnnotations.port])
  if (!(port > 0)) {
    const hint = 'enable dispatcher.data of the chart, or start it with --data-listen'
    throw new Failure(`the dispatcher ${holder} does not serve dead letters: ${hint}`)
  }
  const to: PodPort = { namespace: lease.namespace, pod: holder.replace(/_[0-9a-f]{8}$/, ''), port }
  const forwarded = forward(cluster, to, found.metadata.annotations?.[dataAnnotations.certificate])
  return {
    ...forwarded,
    url: new URL(`https://${to.pod}:${port}`),
    whyNot: async (error) => (error instanceof Failure && error.cause ? refused(client, to) : undefined),
  }
}

/** Without an upgrade the API server answers with why it would refuse one; else it says that an upgrade is needed. */
const refused = async (client: Pick<Client, 'request'>, to: PodPort): Promise<Failure | undefined> => {
  const query = { ports: to.port }
  try {
    await client.request({ method: 'GET', path: forwardPath(to), query, tries: 1 })
  } catch (error) {
    if (isApiError(error, 403)) {
      const needs = `needs get and create on pods/portforward in the namespace ${to.namespace}`
      return new Failure(`not permitted to reach the dispatcher: ${needs}: ${error.message}`, {
        exitCode: exits.notPermitted,
      })
    }
    if (isApiError(error, 404)) {
      return new Failure(`the pod ${to.namespace}/${to.pod}, which held the Lease, is gone: try again in a few seconds`)
    }
  }
  return undefined
}
