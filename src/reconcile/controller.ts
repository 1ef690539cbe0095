/** When a key wants to be worked on again without anybody asking. `failed` counts this time as one that did not succeed. */
export type Again = { readonly againMs: number; readonly failed?: true }

/** Asks for a key to be reconciled, now or after `delayMs`. Asking twice before it happens is asking once. */
export type Wake = (key: string, delayMs?: number) => void

/**
 * One concern, kept true for each of its keys: a value that the engine runs (see {@link runControllers}). The engine gives
 * it a work queue of its own, retries with growing pauses, metrics by its name, readiness and the fence; never the same
 * key twice at once. A kind that acts is one controller in a folder of its own, and one line in the list of a process.
 */
export type Controller = {
  /** Label `controller` of its metrics, and in logs: one word in lower case. */
  readonly name: string
  /** The keys that there are now: `namespace/name`, or any other text. */
  keys(): ReadonlySet<string>
  /**
   * Begins to call `wake` for each key whose part of the world changed in a way that matters, and for all of them at the
   * start; also for keys that are gone. Returns what ends that, and everything else that the controller holds open.
   */
  watch(wake: Wake, signal: AbortSignal): () => void | Promise<void>
  /**
   * Makes what there is equal to what is wanted. Reads the current state itself: a key says what, never why. What it
   * throws is tried again, later and later.
   */
  reconcile(key: string, signal: AbortSignal): Promise<Again | undefined>
  /** Drops what is remembered of a key that is gone, instead of reconciling it. */
  forget?(key: string): Promise<void> | void
  /** Whether statuses say this error already, so that it is no fault of Waybill. */
  isExpected?(error: unknown): error is Error
}
