import { kinds } from '../../../api/kinds/kinds.ts'
import { type Kind, keyFrom, type Metadata, type Resource } from '../../../api/resource.ts'
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
import { openSelected } from './selected-namespaces.ts'

/** Which namespaces are watched: those with these names, or those with these labels; without either all. */
export type Watched = {
  readonly names: readonly string[]
  /** In the syntax of `kubectl -l`. */
  readonly labelSelector?: string
}

export type CachesOptions = {
  readonly client: Pick<Client, 'request' | 'watch'>
  readonly watched: Watched
  readonly announce: CacheOptions['announce']
  invalid(kind: Kind, ...all: Parameters<CacheOptions['invalid']>): void
  readonly log: Pick<Log, 'debug' | 'info' | 'warn' | 'error'>
  readonly metrics: ListWatchMetrics
  /** How long a watch is requested for, about. */
  readonly watchMs: number | undefined
}

export type Caches = {
  of(kind: Kind): Cache
  /** The namespaces that are watched now; `undefined` where it is all of them. */
  watchedNow(): readonly string[] | undefined
  /** Whether there is such an object in what is watched, valid or not, or may be one, as what is there could not be listed. */
  readonly mayExist: Store['mayExist']
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
  const { client, announce, invalid, log, metrics, watchMs } = options
  const { names: namespaces, labelSelector } = options.watched
  const faults = createFaults(log)
  const asked = watchMs === undefined ? {} : { watchMs }
  const turned = (namespace: string): void => {
    for (const cache of caches.values()) cache.turned(namespace)
  }
  const common = { client, metrics, log, ...asked }
  const selected = labelSelector
    ? openSelected({ ...common, ...faults(), labelSelector, changed: turned }, signal)
    : undefined
  const isWatched = (namespace: string): boolean => selected?.has(namespace) ?? true
  const caches = new Map<string, Cache>(
    kinds.map((kind: Kind) => [
      kind.kind,
      createCache({ kind, announce, isWatched, invalid: (...all) => invalid(kind, ...all) }),
    ]),
  )
  const cacheOf = ({ kind }: Kind): Cache => {
    const cache = caches.get(kind)
    if (cache === undefined) throw new Error(`Unknown kind ${kind}`)
    return cache
  }

  const unlisted = createUnlisted()
  const watch = (kind: Kind, namespace: string | undefined) => {
    const listed = Promise.withResolvers<void>()
    const known = unlisted.until(listed.resolve, kind, namespace)
    const path = collectionPath(kind, namespace)
    const labels = { kind: kind.kind, namespace: namespace ?? '' }
    const sink = cacheOf(kind).sink(namespace)
    const { failed, recovered } = faults()
    const all = { ...common, path, labels, sink, listed: known, recovered }
    const failedIn = (error: ApiError): void => {
      failed(error)
      // One of several namespaces that is forbidden, or gone with its roles, does not hold up the others.
      if (namespace !== undefined && error.status === 403) listed.resolve()
    }
    return { listed: listed.promise, ended: listWatch({ ...all, failed: failedIn }, signal) }
  }
  const watched = namespaces.length === 0 ? [undefined] : [...new Set(namespaces)]
  const watches = kinds.flatMap((kind: Kind) => watched.map((namespace) => watch(kind, namespace)))

  const names = openNamespaces({ ...common, announce, ...faults() }, signal)

  return {
    of: cacheOf,
    watchedNow: () => selected?.all() ?? (namespaces.length === 0 ? undefined : namespaces),
    namespaceLabels: names.labelsOf,
    mayExist: (kind, namespace, name) =>
      unlisted.has(kind, namespace) || (isWatched(namespace) && cacheOf(kind).metadata(namespace, name) !== undefined),
    current(kind, { metadata: { namespace, name, uid } }) {
      const metadata = cacheOf(kind).metadata(namespace, name)
      return metadata?.uid === uid ? { metadata } : undefined
    },
    listed: Promise.all([selected?.listed, ...watches.map(({ listed }) => listed)]),
    done: Promise.all([selected?.done, ...watches.map(({ ended }) => ended)]).then(names.done),
  }
}

/** The namespaces, by kind, of which nothing is known yet. */
const createUnlisted = () => {
  const collections = new Set<string>()
  return {
    /** Holds for a namespace, or for all where it is left out, until what is returned is called, which calls `listed`. */
    until(listed: () => void, kind: Kind, namespace = ''): () => void {
      const collection = keyFrom(kind.kind, namespace)
      collections.add(collection)
      return () => {
        collections.delete(collection)
        listed()
      }
    },
    has: (kind: Kind, namespace: string): boolean =>
      [namespace, ''].some((each) => collections.has(keyFrom(kind.kind, each))),
  }
}
