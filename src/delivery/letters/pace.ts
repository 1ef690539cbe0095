import { milliseconds } from '../../api/duration.ts'
import type { Replay } from '../../api/kinds/replay.ts'

type Rate = Replay['spec']['rate']

const doublesEveryMs = 2_000
const rampFrom = 0.1

/** How long after a message the next one may be taken, in ms, when the job has been under way for `elapsedMs`. */
export const gapMs = ({ requests, per, ramp }: Rate, elapsedMs: number): number => {
  const whole = milliseconds(per) / requests
  if (!ramp) return whole
  const share = Math.min(1, rampFrom * 2 ** Math.floor(elapsedMs / doublesEveryMs))
  return whole / share
}
