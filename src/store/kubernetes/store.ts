import { kinds } from '../../api/kinds/kinds.ts'
import { idOf, isDeleting, type Kind, type Resource } from '../../api/resource.ts'
import { problemText } from '../../api/schema/problem.ts'
import { createChanges } from '../changes.ts'
import type { Log } from '../log.ts'
import { finalizer, type Notice, type Store } from '../store.ts'
import type { Client } from './api/client.ts'
import { collectionPath } from './api/paths.ts'
import { secretReader } from './api/secret.ts'
import { createWrites } from './api/writes.ts'
import { createEvents, type Events } from './events/events.ts'
import { type Cache, type CacheOptions, createCache } from './watch/cache.ts'
import { createFaults } from './watch/faults.ts'
import { type ListWatchMetrics, listWatch } from './watch/list-watch.ts'

export type KubernetesOptions = {
  readonly client: Client
  /** The namespaces to watch; empty: all. */
  readonly namespaces: readonly string[]
  /** Kind of process, for Events: `waybill-operator`. */
  readonly component: string
  /** This process among those of its kind, for Events. */
  readonly identity: string
  readonly log: Log
  readonly metrics: ListWatchMetrics
  /** About how long each watch lasts, in ms; default: 45,000. */
  readonly watchMs?: number
}

export type KubernetesStore = Store & {
  /**
   * The same store for as long as `fence` does not throw. It is called again at the moment a change is sent, which may be
   * later than the call when connections are busy, when the API server asked to wait, or when the process was suspended.
   */
  fenced(fence: () => void): Store
  /**
   * Removes the finalizer from resources that are being deleted and were never valid since this process started: what
   * they declared is unknown, so nothing can be deleted on the broker. The leader calls it from time to time; `fence` as above.
   */
  releaseInvalid(fence: () => void): Promise<void>
  /** Resolves after the signal, when all watches have ended and no more Events are stored. */
  readonly done: Promise<void>
}

/**
 * A store over the resources of a cluster, watched until the signal. Resolves when all of them were listed, however long
 * that takes, and rejects only with the signal's reason.
 */
export const openKubernetes = async (options: KubernetesOptions, signal: AbortSignal): Promise<KubernetesStore> => {
  const { client, namespaces, component, identity, log, metrics, watchMs } = options
  const changes = createChanges(log)
  const events = createEvents({ client, component, identity, log }, signal)
  const faults = createFaults(log)

  const caches = new Map<string, Cache>(
    kinds.map((kind: Kind) => {
      const invalid = reportInvalid(kind, log, events)
      return [kind.kind, createCache({ kind, announce: changes.announce, invalid })]
    }),
  )
  const cacheOf = ({ kind }: Kind): Cache => {
    const cache = caches.get(kind)
    if (cache === undefined) throw new Error(`Unknown kind ${kind}`)
    return cache
  }
  const current = (kind: Kind, { metadata: { namespace, name, uid } }: Pick<Resource, 'metadata'>) => {
    const metadata = cacheOf(kind).metadata(namespace, name)
    return metadata?.uid === uid ? { metadata } : undefined
  }

  const watches = kinds.flatMap((kind) =>
    (namespaces.length === 0 ? [undefined] : [...new Set(namespaces)]).map((namespace) => {
      const listed = Promise.withResolvers<void>()
      const ended = listWatch(
        {
          client,
          path: collectionPath(kind, namespace),
          labels: { kind: kind.kind, namespace: namespace ?? '' },
          sink: cacheOf(kind).sink(namespace),
          metrics,
          log,
          listed: listed.resolve,
          ...faults(),
          ...(watchMs === undefined ? {} : { watchMs }),
        },
        signal,
      )
      return { listed: listed.promise, ended }
    }),
  )
  const done = Promise.all([...watches.map(({ ended }) => ended), events.done]).then(() => undefined)
  await Promise.race([Promise.all(watches.map(({ listed }) => listed)), done])
  signal.throwIfAborted()
  log.info(Object.fromEntries([...caches].map(([kind, cache]) => [kind, cache.list().length])), 'Listed the resources')

  const writes = createWrites({ client, current, refresh: (kind, object) => cacheOf(kind).refresh(object) })
  const reads = {
    list: (kind: Kind) => cacheOf(kind).list(),
    get: (kind: Kind, namespace: string, name: string) => cacheOf(kind).get(namespace, name),
    onChange: changes.onChange,
    secret: secretReader(client),
  }
  const writing = (fence?: () => void): Store => ({
    ...(reads as Pick<Store, 'list' | 'get' | 'onChange' | 'secret'>),
    applyStatus: (kind, resource, manager, status) => writes.applyStatus(kind, resource, manager, status, fence),
    setFinalizer: (kind, resource, present) => writes.setFinalizer(kind, resource, present, fence),
    record: (resource, notice) => events.record(resource, notice, fence),
  })
  const releaseInvalid = async (fence: () => void): Promise<void> => {
    for (const kind of kinds) {
      for (const metadata of cacheOf(kind).strays()) {
        if (!isDeleting({ metadata }) || !metadata.finalizers?.includes(finalizer)) continue
        events.record({ kind: kind.kind, metadata }, orphaned, fence)
        await writes.setFinalizer(kind, { metadata }, false, fence)
      }
    }
  }
  return { ...writing(), fenced: writing, releaseInvalid, done }
}

const orphaned: Notice = {
  type: 'Warning',
  reason: 'OrphanedTopology',
  message:
    'It was not valid, so its queues and exchanges are retained on the broker; a resource of the same name reclaims them',
}

/** The CustomResourceDefinitions that are installed may accept what those of this version do not. */
const reportInvalid =
  (kind: Kind, log: Pick<Log, 'warn'>, events: Events): CacheOptions['invalid'] =>
  (metadata, problems, isFirst) => {
    const instead = isFirst ? 'it is ignored' : 'its last valid state stays in use'
    const message = `${problems.map(problemText).join('; ')}; ${instead}`
    const resource = { kind: kind.kind, metadata }
    log.warn({ resource: idOf(resource), problems: problems.map(problemText) }, `A resource is not valid; ${instead}`)
    events.record(resource, { type: 'Warning', reason: 'Invalid', message })
  }
