import { setTimeout as delay } from 'node:timers/promises'
import { kinds } from '../api/kinds/kinds.ts'
import { group } from '../api/resource.ts'
import { ApiError } from '../store/kubernetes/api/api-error.ts'
import type { Client } from '../store/kubernetes/api/client.ts'
import { collectionPath } from '../store/kubernetes/api/paths.ts'
import type { Log } from '../telemetry/log.ts'
import { Failure } from './failure.ts'

export type Preflight = {
  /** Empty: all. */
  readonly namespaces: readonly string[]
  /** Path of what has to be readable besides, if it exists. */
  readonly lease: string
  /** Of the API server, for messages. */
  readonly server: string
  readonly log: Log
}

const againMs = 1_000
const sayEveryMs = 10_000

/**
 * Waits for the API server, and makes sure that it has what Waybill reads and lets us read it: a person is told in one line
 * what to do. Throws a {@link Failure}, or the signal's reason.
 */
export const preflight = async (
  client: Pick<Client, 'request'>,
  { namespaces, lease, server, log }: Preflight,
  signal: AbortSignal,
): Promise<void> => {
  const read = async (path: string, isMissing: (error: ApiError) => Failure | undefined): Promise<void> => {
    try {
      await client.request({ method: 'GET', path, query: { limit: 1 }, tries: 1 }, signal)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const problem = error.status === 404 ? isMissing(error) : failureOf(error, server)
      if (problem) throw problem
      if (error.status !== 404) throw error
    }
  }
  const all = namespaces.length === 0 ? [undefined] : namespaces
  const reads = kinds.flatMap((kind) =>
    all.map((namespace) => () => read(collectionPath(kind, namespace), (cause) => notInstalled(kind.plural, cause))),
  )

  for (let saidAt = Number.NEGATIVE_INFINITY; ; ) {
    try {
      await Promise.all([...reads, () => read(lease, () => undefined)].map((check) => check()))
      return
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ApiError)) throw error
      if (performance.now() - saidAt >= sayEveryMs) {
        log.warn({ server, reason: error.message }, 'The API server does not answer, waiting for it')
        saidAt = performance.now()
      }
      await delay(againMs, undefined, { signal })
    }
  }
}

const notInstalled = (plural: string, cause: ApiError): Failure => {
  const what = `the cluster does not know ${plural}.${group}: install the CustomResourceDefinitions`
  return new Failure(`${what} with kubectl apply -f crds/, or with the chart`, { cause })
}

/** What only a person can help with. */
const failureOf = (cause: ApiError, server: string): Failure | undefined => {
  if (cause.status === 401) {
    const hint = 'check the token in the kubeconfig, or the service account of the pod'
    return new Failure(`the API server at ${server} does not accept the credentials: ${hint}`, { cause })
  }
  if (cause.status !== 403) return undefined
  return new Failure(`a permission is missing, which the roles of the chart have: ${cause.message}`, { cause })
}
