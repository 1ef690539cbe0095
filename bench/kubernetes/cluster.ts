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
  /** Installs CustomResourceDefinitions from a folder; resolves once their collections can be listed. */
  install(folder: string, collections: readonly string[]): Promise<void>
  /** Creates objects in the collection at `path`, many at a time. */
  create(path: string, manifests: readonly Manifest[]): Promise<void>
  /** Deletes all objects of the collection at `path` with kubectl; resolves once they are removed. */
  deleteAll(path: string): Promise<void>
  /** Applies a merge patch to one object. */
  patch(path: string, body: object): Promise<void>
  readonly client: Client
  /** How often each resource was written to so far, by any client. */
  writes(): Promise<ReadonlyMap<string, number>>
}

const atATime = 16
const namespace = 'shop'

/** Runs the work with an API server of its own, which is removed afterwards. */
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
        // kubectl would wait for one object after the other, five a second.
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
