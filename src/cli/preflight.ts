import { setTimeout as delay } from 'node:timers/promises'
import { kinds } from '../api/kinds/kinds.ts'
import { group } from '../api/resource.ts'
import { ApiError } from '../store/kubernetes/api/api-error.ts'
import type { Client } from '../store/kubernetes/api/client.ts'
import { collectionPath } from '../store/kubernetes/api/paths.ts'
import type { Watched } from '../store/kubernetes/watch/caches.ts'
import type { Log } from '../telemetry/log.ts'
import { Failure } from './failure.ts'

/** What the preflight checks. */
export type Preflight = {
  readonly watched: Watched
  /** Path of the lease, which must be readable too if it exists. */
  readonly lease: string
  /** Of the API server, for messages. */
  readonly server: string
  readonly log: Log
}

const againMs = 1_000
const logEveryMs = 10_000

/**
 * Waits for the API server, and makes sure that it knows the kinds that Waybill reads and permits reading them.
 *
 * @throws Failure that says in one line what to do, or the signal's reason
 */
export const preflight = async (
  client: Pick<Client, 'request'>,
  { watched, lease, server, log }: Preflight,
  signal: AbortSignal,
): Promise<void> => {
  const { names, labelSelector } = watched
  const read = async (
    path: string,
    isMissing: (error: ApiError) => Failure | undefined,
    selector?: string,
  ): Promise<void> => {
    try {
      await client.request({ method: 'GET', path, query: { limit: 1, labelSelector: selector }, tries: 1 }, signal)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status === 400 && selector !== undefined) throw notSelecting(selector, error)
      const problem = error.status === 404 ? isMissing(error) : failureOf(error, server)
      if (problem) throw problem
      if (error.status !== 404) throw error
    }
  }
  const readAll = (namespace: string | undefined) =>
    Promise.all(kinds.map((kind) => read(collectionPath(kind, namespace), (cause) => notInstalled(kind.plural, cause))))

  for (let loggedAt = Number.NEGATIVE_INFINITY; ; ) {
    try {
      await Promise.all([
        readAny(names, readAll),
        read(lease, () => undefined),
        labelSelector === undefined ? undefined : read('/api/v1/namespaces', () => undefined, labelSelector),
      ])
      return
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ApiError)) throw error
      if (performance.now() - loggedAt >= logEveryMs) {
        log.warn({ server, reason: error.message }, 'The API server does not answer, waiting for it')
        loggedAt = performance.now()
      }
      await delay(againMs, undefined, { signal })
    }
  }
}

/** Reads all namespaces, or of several each: one that may not be read, or is gone with its roles, holds up no start. */
const readAny = async (
  namespaces: readonly string[],
  readAll: (namespace: string | undefined) => Promise<unknown>,
): Promise<void> => {
  if (namespaces.length < 2) {
    await readAll(namespaces[0])
    return
  }
  const results = await Promise.allSettled(namespaces.map(readAll))
  const reasons = results.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []))
  const other = reasons.find((reason) => !(reason instanceof Failure && isForbidden(reason.cause)))
  if (other !== undefined) throw other
  if (reasons.length === results.length) throw reasons[0]
}

const isForbidden = (cause: unknown): boolean => cause instanceof ApiError && cause.status === 403

const notSelecting = (selector: string, cause: ApiError): Failure =>
  new Failure(`--watch-namespace-selector "${selector}": ${cause.message}; it is written as for kubectl -l`, { cause })

const notInstalled = (plural: string, cause: ApiError): Failure => {
  const what = `the cluster does not know ${plural}.${group}: install the CustomResourceDefinitions`
  return new Failure(`${what} with kubectl apply -f crds/, or with the chart`, { cause })
}

/** The failures that only a person can fix. */
const failureOf = (cause: ApiError, server: string): Failure | undefined => {
  if (cause.status === 401) {
    const hint = 'check the token in the kubeconfig, or the service account of the pod'
    return new Failure(`the API server at ${server} does not accept the credentials: ${hint}`, { cause })
  }
  if (cause.status !== 403) return undefined
  return new Failure(`missing RBAC permission, which the roles of the chart grant: ${cause.message}`, { cause })
}
