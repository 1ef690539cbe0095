import { fenced } from '../../store/fenced.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import { repeat } from '../../async/repeat.ts'
import { createReporter, type ReporterOptions } from './reporter.ts'

/** As long as it lasts, this replica is the one that writes. */
export type Term = {
  /** Aborts when it ends. */
  readonly signal: AbortSignal
  /** Throws where another may write by now. */
  assertHeld(): void
}

export type TermOptions = Omit<ReporterOptions, 'store' | 'now'> & { readonly store: Store; readonly log: Log }

const writeEveryMs = 250
const recheckEveryMs = 60_000

/** Keeps the statuses true for as long as the term lasts, and writes once more at its end if it is still held then. */
export const reportDuring = async ({ signal, assertHeld }: Term, { log, ...options }: TermOptions): Promise<void> => {
  const reporter = createReporter({ ...options, store: fenced(options.store, assertHeld), now: Date.now })

  const write = async (): Promise<void> => {
    const errors = await reporter.write()
    if (errors.length > 0 && !signal.aborted)
      log.warn({ error: errors[0], failed: errors.length }, 'Could not write statuses')
  }

  await Promise.all([repeat(writeEveryMs, write, signal), repeat(recheckEveryMs, reporter.recheck, signal)])
  await write()
}
