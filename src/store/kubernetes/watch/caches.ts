import { kinds } from '../../../api/kinds/kinds.ts'
import type { Kind, Metadata, Resource } from '../../../api/resource.ts'
import type { Log } from '../../log.ts'
import type { Store } from '../../store.ts'
import type { ApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { collectionPath } from '../api/paths.ts'
import { type Cache, createCache } from './cache.ts'
import type { CacheOptions } from './cache-entries.ts'
import { createFaults } from './faults.ts'
import { type ListWatchMetrics, listWatch } from './list-watch.ts'
import { openNamespaces } from './namespaces.ts'

export type CachesOptions = {
  readonly client: Pick<Client, 'request' | 'watch'>
  /** Those to watch; empty: all. */
  readonly namespaces: readonly string[]
  readonly announce: CacheOptions['announce']
  invalid(kind: Kind, ...all: Parameters<CacheOptions['invalid']>): void
  readonly log: Pick<Log, 'debug' | 'info' | 'warn' | 'error'>
  readonly metrics: ListWatchMetrics
  /** How long a watch is requested for, about. */
  readonly watchMs: number | undefined
}

export type Caches = {
  of(kind: Kind): Cache
  /** The labels of a namespace; `undefined` while they are not known. */
  readonly namespaceLabels: Store['namespaceLabels']
  /** The metadata of exactly this object, valid or not. */
  current(kind: Kind, object: Pick<Resource, 'metadata'>): { readonly metadata: Metadata } | undefined
  /** Resolves when all resources were listed, but for those of a namespace that may not be read. */
  readonly listed: Promise<unknown>
  /** Resolves after the signal, when nothing is read any more. */
  readonly done: Promise<unknown>
}

/** A cache for each kind, kept equal to what the API server has until the signal. */
export const openCaches = (options: CachesOptions, signal: AbortSignal): Caches => {
  const { client, namespaces, announce, invalid, log, metrics, watchMs } = options
  const faults = createFaults(log)
  const caches = new Map<string, Cache>(
    kinds.map((kind: Kind) => [kind.kind, createCache({ kind, announce, invalid: (...all) => invalid(kind, ...all) })]),
  )
  const cacheOf = ({ kind }: Kind): Cache => {
    const cache = caches.get(kind)
    if (cache === undefined) throw new Error(`Unknown kind ${kind}`)
    return cache
  }

  const asked = watchMs === undefined ? {} : { watchMs }

  const watch = (kind: Kind, namespace: string | undefined) => {
    const listed = Promise.withResolvers<void>()
    const path = collectionPath(kind, namespace)
    const labels = { kind: kind.kind, namespace: namespace ?? '' }
    const sink = cacheOf(kind).sink(namespace)
    const { failed, recovered } = faults()
    const all = { client, path, labels, sink, metrics, log, listed: listed.resolve, recovered, ...asked }
    const failedIn = (error: ApiError): void => {
      failed(error)
      // One of several namespaces that is forbidden, or gone with its roles, does not hold up the others.
      if (namespace !== undefined && error.status === 403) listed.resolve()
    }
    return { listed: listed.promise, ended: listWatch({ ...all, failed: failedIn }, signal) }
  }
  const watched = namespaces.length === 0 ? [undefined] : [...new Set(namespaces)]
  const watches = kinds.flatMap((kind: Kind) => watched.map((namespace) => watch(kind, namespace)))

  const names = openNamespaces({ client, announce, metrics, log, ...faults(), ...asked }, signal)

  return {
    of: cacheOf,
    namespaceLabels: names.labelsOf,
    current(kind, { metadata: { namespace, name, uid } }) {
      const metadata = cacheOf(kind).metadata(namespace, name)
      return metadata?.uid === uid ? { metadata } : undefined
    },
    listed: Promise.all(watches.map(({ listed }) => listed)),
    done: Promise.all(watches.map(({ ended }) => ended)).then(names.done),
  }
}
