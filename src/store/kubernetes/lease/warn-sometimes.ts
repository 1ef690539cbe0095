import type { Log } from '../../log.ts'

type Warning = { readonly message: string; readonly everyMs: number }

/** Logs errors of what is tried again and again, no more often than that. */
export const warnSometimes = (
  log: Pick<Log, 'warn'>,
  fields: object,
  { message, everyMs }: Warning,
): ((error: unknown) => void) => {
  let warnedAt = Number.NEGATIVE_INFINITY
  return (error) => {
    if (performance.now() - warnedAt < everyMs) return
    warnedAt = performance.now()
    log.warn({ ...fields, reason: error instanceof Error ? error.message : String(error) }, message)
  }
}
