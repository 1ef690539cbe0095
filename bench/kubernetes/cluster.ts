import { readFileSync } from 'node:fs'
import { type Client, createClient } from '../../src/store/kubernetes/api/client.ts'
import { findAssets } from '../../test/support/kubernetes/assets.ts'
import { command } from '../../test/support/kubernetes/command.ts'
import { request } from '../../test/support/kubernetes/request.ts'
import { startServer } from '../../test/support/kubernetes/server.ts'
import type { Manifest } from '../../test/support/manifests.ts'
import { eventually } from '../../test/support/wait.ts'
import { say } from '../setting.ts'
import { requestTotals } from './writes.ts'

/** An API server with etcd, for one measurement alone. */
export type Cluster = {
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string
  /** Installs CustomResourceDefinitions from a folder; resolves once the collections that they make can be listed. */
  install(folder: string, collections: readonly string[]): Promise<void>
  /** Puts objects into the collection at `path`, many at a time. */
  create(path: string, manifests: readonly Manifest[]): Promise<void>
  /** Deletes all objects of the collection at `path` as a person would; resolves once they are gone. */
  deleteAll(path: string): Promise<void>
  /** Puts a merge patch on one object. */
  patch(path: string, body: object): Promise<void>
  readonly client: Client
  /** How often each resource was written to so far, by anybody. */
  writes(): Promise<ReadonlyMap<string, number>>
}

const atATime = 16
const namespace = 'shop'

/** Does the work on an API server of its own, which is gone afterwards. */
export const onFreshCluster = async <T>(work: (cluster: Cluster) => Promise<T>): Promise<T> => {
  const server = await startServer(await findAssets(say, process.env))
  const client = createClient(
    {
      server: server.url,
      tls: { ca: readFileSync(server.caFile, 'utf8') },
      headers: async () => ({ authorization: `Bearer ${server.token}` }),
      namespace,
    },
    { component: 'bench', metrics: { apiRequests: { inc: () => undefined } } },
  )
  try {
    await command(server, 'kubectl', ['create', 'namespace', namespace])
    return await work({
      kubeconfig: server.kubeconfig,
      async install(folder, collections) {
        await command(server, 'kubectl', ['create', '-f', folder])
        for (const path of collections)
          await eventually(() => client.request({ method: 'GET', path }), { timeoutMs: 30_000, everyMs: 100 })
      },
      async create(path, manifests) {
        let next = 0
        const worker = async () => {
          for (let body = manifests[next++]; body; body = manifests[next++]) {
            await client.request({ method: 'POST', path, body })
          }
        }
        await Promise.all(Array.from({ length: atATime }, worker))
      },
      async deleteAll(path) {
        // It waits for one after the other, five a second.
        const resource = path.split('/').at(-1) ?? path
        await command(server, 'kubectl', ['--namespace', namespace, 'delete', resource, '--all', '--wait=false'])
        const left = () => client.request<{ items: unknown[] }>({ method: 'GET', path, query: { limit: 1 } })
        await eventually(async () => (await left()).items.length === 0, { timeoutMs: 600_000, everyMs: 200 })
      },
      patch: (path, body) =>
        client.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }),
      client,
      writes: async () => requestTotals(String((await request(server, 'GET', '/metrics')).body)),
    })
  } finally {
    await client.close()
    await server.stop()
  }
}
