import type { jobKinds } from '../../api/kinds/kinds.ts'
import { apiVersion, type Kind, type Resource } from '../../api/resource.ts'
import { createClient } from '../../store/kubernetes/api/client.ts'
import { collectionPath, resourcePath } from '../../store/kubernetes/api/paths.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { clusterOrFailure } from '../cluster.ts'
import { exits, Failure } from '../failure.ts'
import { fetchList } from '../get.ts'
import { asking, type ServerOptions } from './client.ts'

export type JobKind = (typeof jobKinds)[number]
export type JobManifest = {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: object
}

/** Where Replays and Discards are made and looked at. Failures say what to do. */
export type JobClient = {
  create(kind: JobKind, manifest: JobManifest): Promise<void>
  get(kind: JobKind, namespace: string, name: string): Promise<Resource<JobKind> | undefined>
  close(): Promise<void>
}

export type JobServerOptions = ServerOptions & {
  /** Where a running `waybill run` serves its resources. */
  readonly statusServer: string
  /** In the cluster of the kubeconfig instead. */
  readonly kubernetes?: boolean
}

/** @throws Failure */
export const jobClient = (options: JobServerOptions): Promise<JobClient> =>
  options.kubernetes ? clusterClient() : Promise.resolve(localClient(options))

const bodyOf = (kind: Kind, manifest: JobManifest) => ({ apiVersion, kind: kind.kind, ...manifest })

const localClient = (options: JobServerOptions): JobClient => {
  const ask = asking(options, 'start waybill run, set its data port with --server, or use --kubernetes')
  return {
    async create(kind, manifest) {
      await ask(collectionPath(kind, manifest.metadata.namespace), new URLSearchParams(), {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
        ...{ body: JSON.stringify(bodyOf(kind, manifest)), signal: AbortSignal.timeout(10_000) },
      })
    },
    async get(kind, namespace, name) {
      const found = await fetchList(options.statusServer, kind as Kind, namespace)
      return found.find(({ metadata }) => metadata.name === name) as Resource<JobKind> | undefined
    },
    close: async () => undefined,
  }
}

const clusterClient = async (): Promise<JobClient> => {
  const client = createClient(await clusterOrFailure(), { component: 'waybill', metrics: createMetrics() })
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      const { status, message } = error as { status?: number; message: string }
      const exitCode =
        status === 422 ? exits.usage : status === 401 || status === 403 ? exits.notPermitted : exits.failed
      throw new Failure(message, { exitCode, cause: error })
    }
  }
  return {
    create: (kind, manifest) =>
      asked(async () => {
        const path = collectionPath(kind, manifest.metadata.namespace)
        await client.request({
          method: 'POST',
          path,
          query: { fieldValidation: 'Strict' },
          body: bodyOf(kind, manifest),
        })
      }),
    get: (kind, namespace, name) =>
      asked(() => client.request<Resource<JobKind>>({ method: 'GET', path: resourcePath(kind, { namespace, name }) })),
    close: () => client.close(),
  }
}
