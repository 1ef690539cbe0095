import type { Replay } from '../../api/kinds/replay.ts'

type Limits = Pick<Replay['spec'], 'canary' | 'abortOn'>

/** Why a job stops before its end. */
export type Stop = {
  readonly reason: 'CanaryFailed' | 'TooManyFailures' | 'TargetGone' | 'TargetFull'
  readonly message: string
}

/**
 * Whether a job stops, by how its attempts ended: `results` are the latest, the newest last, true for a success; `tried` is
 * how many there were in all.
 */
export const stopAfter = (
  { canary, abortOn }: Limits,
  results: readonly boolean[],
  tried: number,
): Stop | undefined => {
  if (canary && tried <= canary.messages && results.at(-1) === false) {
    const which = `${tried} of ${canary.messages}`
    return { reason: 'CanaryFailed', message: `The canary failed: message ${which}` }
  }
  if (abortOn === undefined || tried < abortOn.minimum) return undefined
  const latest = results.slice(-abortOn.window)
  // Those of a process that was killed are not known any more.
  if (latest.length < abortOn.minimum) return undefined
  const failed = latest.filter((succeeded) => !succeeded).length
  if (failed * 100 < abortOn.failureRatePercent * latest.length) return undefined
  return { reason: 'TooManyFailures', message: `${failed} of the latest ${latest.length} attempts failed` }
}
