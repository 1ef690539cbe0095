import { aborted } from 'node:util'
import { around, momentsOf } from '../../../async/effects.ts'
import { isApiError } from '../api/api-error.ts'
import type { ApiRequest, Client } from '../api/client.ts'

const claimedNow = momentsOf('lease-claimed')
const released = momentsOf('lease-released')

/** How long others wait, after they last saw the lease change, before they take it. */
export const durationMs = 15_000

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
export type LeaseSpec = {
  readonly holderIdentity?: string | null
  readonly leaseDurationSeconds?: number | null
  readonly acquireTime?: string | null
  readonly renewTime?: string | null
  readonly leaseTransitions?: number | null
}

export type Lease = {
  readonly metadata: {
    readonly name: string
    readonly resourceVersion?: string
    readonly annotations?: Readonly<Record<string, string | undefined>>
  }
  readonly spec?: LeaseSpec
}

/** The lease as we wrote it, and when, by the monotonic clock, that was sent at the earliest. */
export type Held = { readonly lease: Lease; readonly sentAt: number }

/** One Lease. A write is refused, and returns `undefined`, where another process wrote since it was read. */
export type LeaseRecord = {
  /** `undefined` where there is none. @throws ApiError */
  read(within: AbortSignal): Promise<Lease | undefined>
  /** Writes that it is ours, from now on or for longer; creates it where none was read. @throws ApiError */
  claim(read: Lease | undefined, within: AbortSignal): Promise<Held | undefined>
  /** Writes that it has no holder. @throws ApiError */
  free(held: Held, within: AbortSignal): Promise<Lease | undefined>
}

export type Annotations = (before: Values) => Values
type Values = Readonly<Record<string, string | undefined>>

export type Named = {
  readonly namespace: string
  readonly name: string
  readonly identity: string
  /** What clients may want to know of the holder; asked for at each write, with what is there. What is undefined goes. */
  readonly annotations?: Annotations
}

const leasesPath = (namespace: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`
export const leasePath = ({ namespace, name }: Pick<Named, 'namespace' | 'name'>): string =>
  `${leasesPath(namespace)}/${encodeURIComponent(name)}`

export const leaseRecord = (
  client: Pick<Client, 'request'>,
  { namespace, name, identity, annotations }: Named,
): LeaseRecord => {
  const [all, one] = [leasesPath(namespace), leasePath({ namespace, name })]

  const ask = async (
    request: Pick<ApiRequest, 'method' | 'path' | 'body'>,
    refusals: readonly number[],
    within: AbortSignal,
  ): Promise<Lease | undefined> => {
    try {
      // The caller knows better than the client when another try makes sense. And a request that waits for its
      // connection does not notice an abort.
      const answer = client.request<Lease>({ ...request, tries: 1, urgent: true }, within)
      return await Promise.race([answer, aborted(within, answer).then(() => Promise.reject(within.reason))])
    } catch (error) {
      if (isApiError(error, ...refusals)) return undefined
      throw error
    }
  }

  const annotated = <M extends Partial<Lease['metadata']>>(metadata: M): M =>
    annotations
      ? { ...metadata, annotations: { ...metadata.annotations, ...annotations(metadata.annotations ?? {}) } }
      : metadata

  const write = (read: Lease | undefined, spec: LeaseSpec, within: AbortSignal): Promise<Lease | undefined> => {
    const metadata = annotated(read?.metadata ?? { name, namespace })
    if (read) return ask({ method: 'PUT', path: one, body: { ...read, metadata, spec } }, [404, 409], within)
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
    return ask({ method: 'POST', path: all, body }, [409], within)
  }

  return {
    read: (within) => ask({ method: 'GET', path: one }, [404], within),
    async claim(read, within) {
      const sentAt = performance.now()
      const spec = claimed(read?.spec, identity, microTime(new Date()))
      const lease = await around(claimedNow, () => write(read, spec, within))
      return lease && { lease, sentAt }
    },
    free({ lease }, within) {
      const now = microTime(new Date())
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now }
      return around(released, () => write(lease, spec, within))
    },
  }
}

const claimed = (before: LeaseSpec | undefined, identity: string, now: string): LeaseSpec => {
  const again = before?.holderIdentity === identity
  return {
    ...before,
    holderIdentity: identity,
    leaseDurationSeconds: durationMs / 1000,
    acquireTime: (again && before.acquireTime) || now,
    renewTime: now,
    leaseTransitions: before ? (before.leaseTransitions ?? 0) + (again ? 0 : 1) : 0,
  }
}

/** `2026-01-02T03:04:05.678000Z`: the API server refuses times of another precision in a Lease. */
const microTime = (at: Date): string => at.toISOString().replace(/Z$/, '000Z')
