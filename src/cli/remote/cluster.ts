import { createClient } from '../../store/kubernetes/api/client.ts'
import { resourcesOver } from '../../store/kubernetes/api/resources.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { clusterOrFailure } from '../cluster.ts'
import { asked } from './asked.ts'
import { asking, serverOf } from './data-port.ts'
import { type Leader, leaderPort } from './leader.ts'
import type { Remote, RemoteOptions } from './remote.ts'
import { tokenFor } from './token.ts'

/** The Waybill in a cluster: resources from the API server, and dead letters from the data port of the leader. @throws Failure */
export const clusterRemote = async (options: RemoteOptions): Promise<Remote> => {
  const cluster = await clusterOrFailure(options)
  const client = createClient(cluster, { component: 'waybill', metrics: createMetrics() })
  const resources = resourcesOver((request) => client.request(request))
  let leader: Promise<Leader> | undefined
  let token: Promise<string> | undefined

  const ask: Remote['ask'] = async (path, query, init) => {
    const { server } = options
    token ??= tokenFor(client, options, namespaceIn(path))
    const known = await token
    if (server !== undefined)
      return asking(serverOf(server, known), globalThis.fetch, 'see --server')(path, query, init)
    leader ??= leaderPort(client, cluster, options)
    const { url, fetch, whyNot } = await leader
    try {
      return await asking({ url, token: known }, fetch, 'try again')(path, query, init)
    } catch (error) {
      throw (await whyNot(error)) ?? error
    }
  }

  return {
    isCluster: true,
    namespace: cluster.namespace,
    list: (kind, namespace) => asked(() => resources.list(kind, namespace)),
    get: (kind, namespace, name) => asked(() => resources.get(kind, { namespace, name })),
    create: (kind, manifest) => asked(() => resources.create(kind, manifest)),
    annotate: (kind, of, annotations) => asked(() => resources.annotate(kind, of, annotations)),
    ask,
    async close() {
      await (await leader?.catch(() => undefined))?.close()
      await client.close()
    },
  }
}

/** Of the subscription in a path of the data port. */
const namespaceIn = (path: string): string => decodeURIComponent(path.split('/')[2] ?? '')
