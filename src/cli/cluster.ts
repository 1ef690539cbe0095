import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { type Client, createClient } from '../store/kubernetes/api/client.ts'
import { type Cluster, type ClusterChoice, ClusterError, findCluster } from '../store/kubernetes/cluster/cluster.ts'
import { watchHolder } from '../store/kubernetes/lease/holder.ts'
import { lead } from '../store/kubernetes/lease/lease.ts'
import { type Annotations, leasePath } from '../store/kubernetes/lease/lease-record.ts'
import { type KubernetesStore, openKubernetes } from '../store/kubernetes/store.ts'
import type { Watched } from '../store/kubernetes/watch/caches.ts'
import type { Leadership, Presence } from '../store/leadership.ts'
import type { LogLevel } from '../telemetry/log.ts'
import { Failure } from './failure.ts'
import { preflight } from './preflight.ts'
import type { Process } from './process.ts'

/** The options that all commands on Kubernetes have. */
export type ClusterOptions = {
  readonly listen: string
  /** All of them when left out. */
  readonly watchNamespace?: readonly string[]
  /** Of the namespaces, in the syntax of `kubectl -l`; not with `watchNamespace`. */
  readonly watchNamespaceSelector?: string
  /** The pod's, or that of the kubeconfig's context, when left out. */
  readonly leaseNamespace?: string
  readonly leaseName: string
  /** The host's name when left out. */
  readonly identity?: string
  readonly logLevel?: LogLevel
}

/** A process of one kind in a cluster. */
export type Member = {
  /** Where the API server is. */
  readonly server: string
  /** Requests to it. */
  readonly client: Client
  /** The resources, once all were listed; `undefined` where the process stops before that. @throws Failure */
  open(): Promise<KubernetesStore | undefined>
  /** Does `work` whenever this process, among all of its kind, holds the lease, which has these annotations; until the process stops. */
  lead(work: (leadership: Leadership) => Promise<void>, annotations?: Annotations): Promise<void>
  /** Whether any process holds this lease, which is in the same namespace as that of this kind. */
  watchLease(name: string, signal: AbortSignal): Presence
  /** Resolves when all Events have been sent and all connections are closed. */
  close(): Promise<void>
}

/** The cluster that the environment, or the choice, names. @throws Failure where there is none */
export const clusterOrFailure = (choice: ClusterChoice = {}): Promise<Cluster> =>
  findCluster(process.env, choice).catch((error: unknown) => {
    if (error instanceof ClusterError) throw new Failure(error.message, { cause: error })
    throw error
  })

/** Which namespaces the options name. @throws Failure where they name them in two ways */
export const watchedBy = ({ watchNamespace: names = [], watchNamespaceSelector }: ClusterOptions): Watched => {
  if (watchNamespaceSelector === undefined) return { names }
  if (names.length > 0) throw new Failure('--watch-namespace and --watch-namespace-selector exclude each other')
  return { names, labelSelector: watchNamespaceSelector }
}

/** The same for the log. */
export const namesOf = ({ watchNamespace: namespaces = [], watchNamespaceSelector }: ClusterOptions) =>
  watchNamespaceSelector === undefined ? { namespaces } : { namespaceSelector: watchNamespaceSelector }

/** Connects to the cluster that the environment names. @throws Failure where there is none */
export const joinCluster = async (component: string, options: ClusterOptions, own: Process): Promise<Member> => {
  const { log, metrics, stop, end } = own
  const cluster = await clusterOrFailure()
  const { leaseNamespace: namespace = cluster.namespace, leaseName: name } = options
  const watched = watchedBy(options)
  const { identity = hostname() } = options
  const client = createClient(cluster, { component, metrics })
  let store: KubernetesStore | undefined

  return {
    server: cluster.server,
    client,
    async open() {
      const giveUp = () => end.abort()
      stop.addEventListener('abort', giveUp)
      try {
        const lease = leasePath({ namespace, name })
        await preflight(client, { watched, lease, server: cluster.server, log }, stop)
        store = await openKubernetes({ client, watched, component, identity, log, metrics }, end.signal)
        return store
      } catch (error) {
        if (stop.aborted) return undefined
        throw error
      } finally {
        stop.removeEventListener('abort', giveUp)
      }
    },
    async lead(work, annotations) {
      // A process that restarts on the same host is another holder.
      const unique = `${identity}_${randomBytes(4).toString('hex')}`
      metrics.leading.set(0)
      await lead(
        client,
        { namespace, name, identity: unique, log, ...(annotations ? { annotations } : {}) },
        async (leadership) => {
          metrics.leading.set(1)
          await work(leadership).finally(() => metrics.leading.set(0))
        },
        stop,
      )
    },
    watchLease: (other, signal) => watchHolder(client, { namespace, name: other, log }, signal),
    async close() {
      end.abort()
      await store?.done
      await client.close()
    },
  }
}
