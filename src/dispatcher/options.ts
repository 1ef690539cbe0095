import type { LookupFunction } from 'node:net'
import type { Leadership } from '../store/leadership.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import type { NamespaceHistory } from './status/history.ts'

export type DispatcherOptions = {
  readonly store: Store
  readonly log: Log
  readonly metrics: Metrics
  readonly tracing?: Tracing | undefined
  /** Whether subscribers on this machine may be reached. */
  readonly allowLoopback: boolean
  /** How long messages in flight may take when delivery stops. */
  readonly drainTimeoutMs: number
  /** Resolves the names of brokers and subscribers; the system when left out. */
  readonly lookup?: LookupFunction
  /**
   * `host:port` of the HTTP servers of all replicas, this one included; a name stands for all its addresses. Left out, this
   * is the only dispatcher, and it writes the statuses itself.
   */
  readonly peers?: readonly string[]
}

export type Running = {
  /** The subscriptions that there were at the start are being consumed. */
  ready(): boolean
  /**
   * Resolves when everything in flight has ended, after the signal. Serve the snapshot until then; leadership may end with
   * the signal, because another replica fetches the counts of what still ends here.
   */
  readonly done: Promise<void>
  /** What this replica observes, for the others: to be served as JSON at `snapshotPath`, `undefined` as 204. */
  snapshot(query: URLSearchParams): object | undefined
  /**
   * Writes the statuses for all replicas as long as the leadership lasts, and once more when it ends if it is still held
   * then. Where there are replicas, a Lease decides who leads. Never rejects.
   */
  report(leadership: Leadership): Promise<void>
  /** The last hour of the subscriptions of a namespace, or of one; `undefined` until it is known what others counted before. */
  history(namespace: string, name?: string): NamespaceHistory | undefined
}
