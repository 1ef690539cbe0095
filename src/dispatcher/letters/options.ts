import type { LookupFunction } from 'node:net'
import type { Subscription } from '../../api/kinds/subscription.ts'
import type { AddressGuard } from '../../http/address-guard.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Tracing } from '../../telemetry/tracing.ts'

export type LettersOptions = {
  readonly store: Store
  readonly log: Log
  readonly metrics: Metrics
  readonly tracing?: Tracing | undefined
  readonly guard: AddressGuard
  /** How long attempts in flight may take when it is to end. */
  readonly drainTimeoutMs: number
  /** Resolves the names of brokers. */
  readonly lookup: LookupFunction | undefined
  /** A subscriber has answered 2xx. */
  succeeded(subscription: Subscription): void
  /** Throws when another process leads. */
  fence(): void
}
