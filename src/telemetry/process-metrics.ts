import type { Definer } from './define.ts'

const reconcileBucketsSeconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

const reconciled = ['controller', 'namespace', 'broker'] as const

/** What a process does, whatever it does it for. */
export const processMetrics = ({ gauge, counter, histogram }: Definer) => ({
  /** `kind, result` (delivered, failed). */
  jobMessages: counter(
    'job_messages_total',
    'Dead letters that Replays and Discards have taken, by how that ended',
    'kind',
    'result',
  ),
  /** `controller, namespace, broker, result` (done, failed); only `topology` has namespace and broker. */
  reconciles: counter('reconcile_total', 'Reconciles, by controller and result', ...reconciled, 'result'),
  /** `controller, namespace, broker`, as above; in seconds. */
  reconcileDuration: histogram(
    'reconcile_duration_seconds',
    'Duration of reconciles, by controller',
    reconcileBucketsSeconds,
    ...reconciled,
  ),
  /** `controller`. */
  reconcileErrors: counter(
    'reconcile_errors_total',
    'Reconciles that ended with an unexpected error, by controller',
    'controller',
  ),
  /** `kind`. */
  resources: gauge('resources', 'Resources known, by kind', 'kind'),
  /** `kind, status, reason` of the condition Ready. */
  resourcesReady: gauge(
    'resources_ready',
    'Resources by status and reason of their condition Ready',
    'kind',
    'status',
    'reason',
  ),
  /** `kind`. */
  resourcesOutdated: gauge(
    'resources_outdated',
    'Resources whose condition Ready is not about their latest change yet',
    'kind',
  ),
  /** `component` (operator, dispatcher), `version`, `node`: 1. */
  buildInfo: gauge('build_info', 'The version that runs, and of Node: always 1', 'component', 'version', 'node'),
  /** No labels. */
  manifestProblems: gauge('manifest_problems', 'Problems in the present manifests'),
  /** No labels. */
  dispatcherReplicas: gauge(
    'dispatcher_replicas',
    'Replicas of the dispatcher that are alive to this one, itself included',
  ),
  /** No labels; in seconds. */
  dispatcherSnapshotAge: gauge(
    'dispatcher_snapshot_age_seconds',
    'Time since the last response of the replica of the dispatcher that has been silent for the longest',
  ),
  /** `manager`. */
  statusWrites: counter('status_writes_total', 'Statuses written, by field manager', 'manager'),
  /** No labels: 0 or 1. */
  leading: gauge('leading', 'Whether this process holds the lease, and so is the one of its kind that writes: 0 or 1'),
  /** `verb` as in RBAC, `code`: the HTTP status, or `none` where there was no answer. */
  apiRequests: counter('api_requests_total', 'Requests to the Kubernetes API server', 'verb', 'code'),
  /** `kind, namespace` (empty: all). */
  lists: counter('lists_total', 'Lists of all resources of a kind requested from the API server', 'kind', 'namespace'),
  /** `kind, namespace, cause` (ended, expired, silent, failed). */
  watchEnds: counter('watch_ends_total', 'Ends of watches, by cause', 'kind', 'namespace', 'cause'),
  /** `kind, namespace`; in seconds since 1970. */
  watchReceived: gauge(
    'watch_received_timestamp_seconds',
    'When a watch last received something, or began: a quiet one does so about once a minute',
    'kind',
    'namespace',
  ),
})
