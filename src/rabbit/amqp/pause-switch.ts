/** Whether a consumer is paused. It starts unpaused; both directions are idempotent. */
export class PauseSwitch {
  #paused = new AbortController()
  #resumed: PromiseWithResolvers<undefined> | undefined

  get isPaused(): boolean {
    return this.#resumed !== undefined
  }

  /** Aborts at the next pause, or is aborted while it lasts. */
  get paused(): AbortSignal {
    return this.#paused.signal
  }

  /** Resolves at the next `resume`, at once where it is not paused. */
  async resumed(): Promise<undefined> {
    return this.#resumed?.promise
  }

  pause(): void {
    this.#resumed ??= Promise.withResolvers()
    this.#paused.abort()
  }

  resume(): void {
    if (this.#resumed === undefined) return
    this.#resumed.resolve(undefined)
    this.#resumed = undefined
    this.#paused = new AbortController()
  }
}
