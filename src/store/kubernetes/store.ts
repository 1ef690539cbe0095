/**
 * Resources in a Kubernetes cluster: the store of `store/store.ts` over the API server. Its parts are `cluster/` (where
 * the API server is), `api/` (requests), `watch/` (caches), `events/` and `lease/`. Nothing here knows what the resources
 * mean for a broker.
 */
import { kinds } from '../../api/kinds/kinds.ts'
import { idOf, type Kind } from '../../api/resource.ts'
import { problemText } from '../../api/schema/problem.ts'
import { createChanges } from '../changes.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store.ts'
import type { Client } from './api/client.ts'
import { secretReader } from './api/secret.ts'
import { createWrites } from './api/writes.ts'
import { createEvents, type Events } from './events/events.ts'
import { releaseInvalid } from './release-invalid.ts'
import { type CachesOptions, openCaches, type Watched } from './watch/caches.ts'
import type { ListWatchMetrics } from './watch/list-watch.ts'

export type KubernetesOptions = {
  readonly client: Client
  readonly watched: Watched
  /** Kind of process, as Events name it: `waybill-operator`. */
  readonly component: string
  /** This process among those of its kind. */
  readonly identity: string
  readonly log: Log
  readonly metrics: ListWatchMetrics
  /** How long a watch is requested for, about; default: 45,000. */
  readonly watchMs?: number
}

export type KubernetesStore = Store & {
  /**
   * The same store for as long as `fence` does not throw. It is called again at the moment a change is really sent,
   * which is later than it was requested when connections are busy, when the API server asked to wait, or when the whole
   * process was paused in between.
   */
  fenced(fence: () => void): Store
  /**
   * Removes the finalizer from resources that are being deleted and have not been valid since this process started: what
   * to clean up is not known. The leader calls it from time to time; `fence` as above.
   */
  releaseInvalid(fence: () => void): Promise<void>
  /** The namespaces that are watched now; `undefined` where it is all of them. */
  watchedNow(): readonly string[] | undefined
  /** Resolves after the signal, when nothing more is read or recorded. */
  readonly done: Promise<void>
}

/**
 * A store over the resources of a cluster, watched until the signal. Resolves when all of them were listed, however long
 * that takes, and rejects only with the signal's reason.
 */
export const openKubernetes = async (options: KubernetesOptions, signal: AbortSignal): Promise<KubernetesStore> => {
  const { client, watched, component, identity, log, metrics, watchMs } = options
  const changes = createChanges(log)
  const events = createEvents({ client, component, identity, log }, signal)
  const invalid = reportInvalid(log, events)
  const caches = openCaches({ client, watched, announce: changes.announce, invalid, log, metrics, watchMs }, signal)
  const done = Promise.all([caches.done, events.done]).then(() => undefined)
  await Promise.race([caches.listed, done])
  signal.throwIfAborted()
  const counts = kinds.map((kind: Kind) => [kind.kind, caches.of(kind).list().length])
  log.info(Object.fromEntries(counts), 'Listed the resources')

  const writes = createWrites({
    client,
    current: caches.current,
    refresh: (kind, object) => caches.of(kind).refresh(object),
  })
  const reads = {
    list: (kind: Kind) => caches.of(kind).list(),
    get: (kind: Kind, namespace: string, name: string) => caches.of(kind).get(namespace, name),
    mayExist: caches.mayExist,
    onChange: changes.onChange,
    secret: secretReader(client),
    namespaceLabels: caches.namespaceLabels,
  }
  const fenced = (fence?: () => void): Store => ({
    ...(reads as Pick<Store, 'list' | 'get' | 'mayExist' | 'onChange' | 'secret' | 'namespaceLabels'>),
    applyStatus: (kind, resource, manager, status) => writes.applyStatus(kind, resource, manager, status, fence),
    setFinalizer: (kind, resource, present) => writes.setFinalizer(kind, resource, present, fence),
    remove: (kind, resource) => writes.remove(kind, resource, fence),
    record: (resource, notice) => events.record(resource, notice, fence),
  })
  return {
    ...fenced(),
    fenced,
    releaseInvalid: (fence) => releaseInvalid({ caches, writes, events }, fence),
    watchedNow: caches.watchedNow,
    done,
  }
}

/** The installed CustomResourceDefinitions may accept what those of this version do not. */
const reportInvalid =
  (log: Pick<Log, 'warn'>, events: Events): CachesOptions['invalid'] =>
  (kind, metadata, problems, isFirst) => {
    const instead = isFirst ? 'it is ignored' : 'its last valid state stays in use'
    const message = `${problems.map(problemText).join('; ')}; ${instead}`
    const resource = { kind: kind.kind, metadata }
    log.warn({ resource: idOf(resource), problems: problems.map(problemText) }, `A resource is not valid, ${instead}`)
    events.record(resource, { type: 'Warning', reason: 'Invalid', message })
  }
