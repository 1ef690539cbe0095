import { type Backoff, backoffMs } from '../../../async/backoff.ts'
import { type ApiError, isApiError } from '../api/api-error.ts'

/** How far a list-watch has come. */
export type Progress = {
  /** From which it watches; `undefined` where it must list first. */
  readonly version: string | undefined
  /** In a row, without a sign of life in between. */
  readonly failures: number
  /** Watches in a row that were accepted and then failed without an event. */
  readonly emptyWatches: number
  /** Whether the latest failure was that the server no longer knows the version. */
  readonly wasExpired: boolean
}

export type AfterFault = {
  readonly progress: Progress
  readonly waitMs: number
  /** Whether it keeps the list-watch from knowing what there is: a watch that was cut is normal. */
  readonly isFailure: boolean
}

export const retryBackoff: Backoff = { first: 200, most: 10_000 }

/** Why a watch ended, as the metric has it. */
export const endOf = (fault: ApiError): 'expired' | 'silent' | 'failed' =>
  isExpired(fault) ? 'expired' : fault.reason === 'Silent' ? 'silent' : 'failed'

/** Decides what to do after a fault: whether to list again, when, and whether to report it. */
export const afterFault = (before: Progress, fault: ApiError, random = Math.random): AfterFault => {
  const expired = isExpired(fault)
  // Silence twice may also be a server that was set back to an earlier time, and waits for a version long gone by.
  const versionIsSuspect = before.emptyWatches >= 2 && fault.reason !== 'Unreachable'
  const version = expired || versionIsSuspect ? undefined : before.version
  const failures = before.failures + 1
  const progress: Progress = { ...before, version, failures, wasExpired: before.wasExpired || expired }
  // That the server forgets a version now and then is normal, and after a restart it has forgotten all of them.
  if (expired && !before.wasExpired) return { progress, waitMs: retryBackoff.first * random(), isFailure: false }
  const askedMs = Math.min(fault.retryAfterMs ?? 0, retryBackoff.most)
  return {
    progress,
    waitMs: Math.max(askedMs, backoffMs(failures, retryBackoff, random)),
    isFailure: !expired && (version === undefined || failures >= 3),
  }
}

const isExpired = (fault: ApiError): boolean => isApiError(fault, 400, 410)
