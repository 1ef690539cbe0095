import { repeat } from '../../async/repeat.ts'
import { fenced } from '../../store/fenced.ts'
import type { Leadership } from '../../store/leadership.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import { createReporter, type ReporterOptions } from './reporter.ts'

export type ReportOptions = Omit<ReporterOptions, 'store' | 'now'> & { readonly store: Store; readonly log: Log }

const writeEveryMs = 250
const recheckEveryMs = 60_000

/** Writes the statuses during the leadership, and once more at its end if it is still held then. */
export const reportDuring = async (
  { signal, fence }: Leadership,
  { log, ...options }: ReportOptions,
): Promise<void> => {
  const reporter = createReporter({ ...options, store: fenced(options.store, fence), now: Date.now })

  const write = async (): Promise<void> => {
    const errors = await reporter.write()
    if (errors.length > 0 && !signal.aborted)
      log.warn({ error: errors[0], failed: errors.length }, 'Could not write statuses; retried automatically')
  }

  await Promise.all([repeat(writeEveryMs, write, signal), repeat(recheckEveryMs, reporter.recheck, signal)])
  await write()
}
