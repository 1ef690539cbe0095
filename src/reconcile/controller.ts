import type { ReconcileLabels } from '../telemetry/metrics.ts'

/** When a key is to be reconciled again without another wake-up. `failed`: this reconcile counts as one that failed. */
export type Again = { readonly againMs: number; readonly failed?: true }

/** Asks for a key to be reconciled, now or after `delayMs`. Asking twice before it happens is asking once. */
export type Wake = (key: string, delayMs?: number) => void

/**
 * One concern, kept true for each of its keys: a value that the engine runs (`runControllers`). The engine gives it a work
 * queue of its own, retries with growing pauses, metrics by its name, readiness and the fence, and never reconciles a key
 * twice at once. A kind that acts is one controller in a folder of its own, and one line in the list of a process.
 */
export type Controller = {
  /** Label `controller` of its metrics, and in logs: one word in lower case. */
  readonly name: string
  /** Labels of a key's own series in the metrics; left out, the series are those of all keys together. */
  labels?(key: string): ReconcileLabels
  /** The keys that there are now: `namespace/name`, or any other text. */
  keys(): ReadonlySet<string>
  /**
   * Begins to call `wake` for each key whose part of the world changed in a way that matters, and for all of them at the
   * start; also for keys that are gone. Returns what ends that, and everything else that the controller holds open.
   */
  watch(wake: Wake, signal: AbortSignal): () => void | Promise<void>
  /**
   * Makes what there is equal to what is wanted. Reads the current state itself: a key says what, never why. When it
   * throws, it is called again after growing pauses.
   */
  reconcile(key: string, signal: AbortSignal): Promise<Again | undefined>
  /** Drops what is remembered of a key that is gone, instead of reconciling it. */
  forget?(key: string): Promise<void> | void
  /** Whether statuses report this error already, so that it is not a fault of Waybill and not logged as one. */
  isExpected?(error: unknown): error is Error
}
