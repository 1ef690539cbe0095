import { apiVersion, type Kind, type Resource } from '../../api/resource.ts'
import { isApiError } from '../../store/kubernetes/api/api-error.ts'
import { type Client, createClient } from '../../store/kubernetes/api/client.ts'
import { collectionPath, resourcePath } from '../../store/kubernetes/api/paths.ts'
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
    list: <K extends Kind>(kind: K, namespace?: string) =>
      asked(async () => (await listOf<K>(client, collectionPath(kind, namespace))).items),
    get: <K extends Kind>(kind: K, namespace: string, name: string) =>
      asked(async () => {
        const path = resourcePath(kind, { namespace, name })
        return await client.request<Resource<K>>({ method: 'GET', path }).catch((error: unknown) => {
          if (isApiError(error, 404)) return undefined
          throw error
        })
      }),
    async create(kind, manifest) {
      const path = collectionPath(kind, manifest.metadata.namespace)
      const body = { apiVersion, kind: kind.kind, ...manifest }
      await asked(() => client.request({ method: 'POST', path, query: { fieldValidation: 'Strict' }, body }))
    },
    ask,
    async close() {
      await (await leader?.catch(() => undefined))?.close()
      await client.close()
    },
  }
}

const listOf = <K extends Kind>(client: Client, path: string) =>
  client.request<{ readonly items: Resource<K>[] }>({ method: 'GET', path })

/** Of the subscription in a path of the data port. */
const namespaceIn = (path: string): string => decodeURIComponent(path.split('/')[2] ?? '')
