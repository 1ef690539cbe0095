import { kinds } from '../../api/kinds/kinds.ts'
import { idOf, isDeleting, type Kind, type Resource } from '../../api/resource.ts'
import { problemText } from '../../api/schema/problem.ts'
import { createChanges } from '../changes.ts'
import { finalizer, type Notice, type Store } from '../store.ts'
import type { Client } from './api/client.ts'
import { collectionPath } from './api/paths.ts'
import { secretReader } from './api/secret.ts'
import { createWrites } from './api/writes.ts'
import { createEvents, type Events } from './events/events.ts'
import { type Cache, type CacheOptions, createCache } from './watch/cache.ts'
import { createFaults } from './watch/faults.ts'
import { type ListWatchMetrics, listWatch } from './watch/list-watch.ts'

type Say = (fields: object, message: string) => void

export type KubernetesOptions = {
  readonly client: Client
  /** Those to watch; empty: all. */
  readonly namespaces: readonly string[]
  /** Kind of process, as Events tell it: `waybill-operator`. */
  readonly component: string
  /** This process among those of its kind. */
  readonly identity: string
  readonly log: { readonly debug: Say; readonly info: Say; readonly warn: Say; readonly error: Say }
  readonly metrics: ListWatchMetrics
  /** How long a watch is asked for, about; default: 45,000. */
  readonly watchMs?: number
}

export type KubernetesStore = Store & {
  /**
   * The same store for as long as `mayWrite` does not throw. It is called again at the moment a change is really sent,
   * which is later than it was asked for when connections are busy, when the API server asked to wait, or when the whole
   * process was stopped in between.
   */
  fenced(mayWrite: () => void): Store
  /**
   * Lets go of what is on its way out and, since before this process began, not valid: nobody can tell what to tidy up.
   * For the one who leads to do from time to time; `mayWrite` as above.
   */
  releaseInvalid(mayWrite: () => void): Promise<void>
  /** Resolves after the signal, when nothing more is read or told. */
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
      const invalid = tellInvalid(kind, log, events)
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
  const writing = (mayWrite?: () => void): Store => ({
    ...(reads as Pick<Store, 'list' | 'get' | 'onChange' | 'secret'>),
    applyStatus: (kind, resource, manager, status) => writes.applyStatus(kind, resource, manager, status, mayWrite),
    setFinalizer: (kind, resource, present) => writes.setFinalizer(kind, resource, present, mayWrite),
    record: (resource, notice) => events.record(resource, notice, mayWrite),
  })
  const releaseInvalid = async (mayWrite: () => void): Promise<void> => {
    for (const kind of kinds) {
      for (const metadata of cacheOf(kind).strays()) {
        if (!isDeleting({ metadata }) || !metadata.finalizers?.includes(finalizer)) continue
        events.record({ kind: kind.kind, metadata }, orphaned, mayWrite)
        await writes.setFinalizer(kind, { metadata }, false, mayWrite)
      }
    }
  }
  return { ...writing(), fenced: writing, releaseInvalid, done }
}

const orphaned: Notice = {
  type: 'Warning',
  reason: 'OrphanedTopology',
  message:
    'It was not valid, so its queues and exchanges were left on the broker; a resource of the same name takes them back',
}

/** The CustomResourceDefinitions that are installed let through what those of this version do not. */
const tellInvalid =
  (kind: Kind, log: { readonly warn: Say }, events: Events): CacheOptions['invalid'] =>
  (metadata, problems, isFirst) => {
    const instead = isFirst ? 'it is left out' : 'its last valid state stays in use'
    const message = `${problems.map(problemText).join('; ')}; ${instead}`
    const resource = { kind: kind.kind, metadata }
    log.warn({ resource: idOf(resource), problems: problems.map(problemText) }, `A resource is not valid, ${instead}`)
    events.record(resource, { type: 'Warning', reason: 'Invalid', message })
  }
