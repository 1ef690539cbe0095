import type { Kind, Resource, ResourceName } from '../../api/resource.ts'
import type { ClusterChoice } from '../../store/kubernetes/cluster/cluster.ts'

/** What says which Waybill is asked. */
export type RemoteOptions = ClusterChoice & {
  /** The one in a cluster. */
  readonly kubernetes?: boolean
  /** Address of the data port. */
  readonly server?: string
  /** Where `waybill run` serves its resources. */
  readonly statusServer?: string
  /** For the data port. */
  readonly token?: string
  /** `name` or `namespace/name` of the ServiceAccount for which a token is made. */
  readonly asServiceAccount?: string
  /** Where the dispatcher runs, and the name of its Lease. */
  readonly waybillNamespace?: string
  readonly leaseName?: string
}

export type Manifest = {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: object
}

/** One request to the data port; `namespace` is that of the subscription. @throws Failure where the answer is not 2xx */
export type Ask = (path: string, query: URLSearchParams, init: RequestInit) => Promise<Response>

/** The Waybill that a command asks: `waybill run` on this machine, or the one in a cluster. All throw Failures. */
export type Remote = {
  readonly isCluster: boolean
  /** Of what is named without one. */
  readonly namespace: string
  /** All of a kind, of one namespace or, where it is left out, of all. */
  list<K extends Kind>(kind: K, namespace?: string): Promise<readonly Resource<K>[]>
  get<K extends Kind>(kind: K, namespace: string, name: string): Promise<Resource<K> | undefined>
  create(kind: Kind, manifest: Manifest): Promise<void>
  /** `null` takes one off. A manifest in a file is changed there instead. */
  annotate(kind: Kind, of: ResourceName, annotations: Readonly<Record<string, string | null>>): Promise<void>
  /** Asks the data port. */
  readonly ask: Ask
  close(): Promise<void>
}
