import type { LookupFunction } from 'node:net'
import type { Condition, ConditionType } from '../../src/api/conditions.ts'
import type { Kind, Resource } from '../../src/api/resource.ts'
import { startDispatcher } from '../../src/dispatcher/main.ts'
import { startOperator } from '../../src/operator/main.ts'
import { openDirectory } from '../../src/store/directory/store.ts'
import type { Presence } from '../../src/store/leadership.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { type ManifestFolder, manifestFolder } from './manifests.ts'
import { freshVhost, type Vhost } from './vhost.ts'
import { eventually } from './wait.ts'

export type Stage = {
  readonly vhost: Vhost
  readonly folder: ManifestFolder
  readonly metrics: Metrics
  /** Everything logged so far, as JSON lines. */
  logs(): string
  /** A resource of the namespace `shop`, unless the name is `namespace/name`. */
  get<K extends Kind>(kind: K, name: string): Resource<K> | undefined
  /** Waits until a condition of a resource, named as for `get`, has this status and, if given, this reason. */
  condition(
    kind: Kind,
    name: string,
    type: ConditionType,
    status: Condition['status'],
    reason?: string,
  ): Promise<Condition>
  /** Waits until the resource does not have this condition. */
  noCondition(kind: Kind, name: string, type: ConditionType): Promise<void>
  /** The sum of a metric over the series with these labels. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
  /** Stops Waybill gracefully, as SIGTERM does. */
  end(): Promise<void>
  /** Stops Waybill and removes the folder and the virtual host. */
  close(): Promise<void>
}

export type StageOptions = {
  /** Default: both. */
  readonly only?: 'operator' | 'dispatcher'
  readonly instance?: string
  /** Whether there are dispatchers elsewhere. Default: nobody asks. */
  readonly dispatchers?: Presence
  readonly drainTimeoutMs?: number
  /** Resolves the names of brokers and subscribers for the dispatcher. Default: the system. */
  readonly lookup?: LookupFunction
  /** Use the virtual host and the manifests of another stage; closing this one does not remove them. */
  readonly beside?: Pick<Stage, 'vhost' | 'folder'>
}

/** Waybill in this process, on a virtual host and a folder of manifests of its own. */
export const startStage = async (options: StageOptions = {}): Promise<Stage> => {
  const { only, instance = 'waybill', drainTimeoutMs = 5_000, beside, lookup, dispatchers } = options
  const { vhost, folder } = beside ?? { vhost: await freshVhost(), folder: manifestFolder() }
  if (!beside) folder.write('none', '')
  const lines: string[] = []
  const log = createLog({ level: 'debug', to: { write: (line) => void lines.push(line) } })
  const metrics = createMetrics()
  const [stop, files] = [new AbortController(), new AbortController()]
  const store = await openDirectory([folder.path], { log }, files.signal)
  const dispatching = { store, log, metrics, allowLoopback: true, drainTimeoutMs, ...(lookup ? { lookup } : {}) }
  const operating = { store, instance, log, metrics }
  const running = [
    ...(only === 'dispatcher'
      ? []
      : [startOperator({ ...operating, ...(dispatchers ? { dispatchers } : {}) }, stop.signal)]),
    ...(only === 'operator' ? [] : [startDispatcher(dispatching, stop.signal)]),
  ]

  const find = <K extends Kind>(kind: K, full: string): Resource<K> | undefined => {
    const [name = '', namespace = 'shop'] = full.split('/').toReversed()
    return store.get(kind, namespace, name)
  }
  const conditionOf = (kind: Kind, name: string, type: ConditionType): Condition | undefined =>
    find(kind, name)?.status?.conditions?.find((one) => one.type === type)

  const end = async (): Promise<void> => {
    stop.abort()
    await Promise.all(running.map((part) => part?.done))
    files.abort()
  }

  return {
    vhost,
    folder,
    metrics,
    logs: () => lines.join(''),
    get: find,
    condition: (kind, name, type, status, reason) =>
      eventually(() => {
        const found = conditionOf(kind, name, type)
        const isIt = found?.status === status && (reason === undefined || found.reason === reason)
        if (isIt) return found
        throw new Error(`${kind.kind} ${name} has ${JSON.stringify(find(kind, name)?.status?.conditions)}`)
      }),
    async noCondition(kind, name, type) {
      await eventually(() => conditionOf(kind, name, type) === undefined)
    },
    async metric(name, labels = {}) {
      const found = await metrics.registry.getSingleMetric(name)?.get()
      const fits = (of: object) => Object.entries(labels).every(([key, value]) => (of as typeof labels)[key] === value)
      return (found?.values ?? []).filter((one) => fits(one.labels)).reduce((sum, { value }) => sum + value, 0)
    },
    end,
    async close() {
      await end()
      if (beside) return
      folder.drop()
      await vhost.drop()
    },
  }
}
