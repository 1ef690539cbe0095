import type { Recorder } from '../history/recorder.ts'

const everyMs = 50
/** Later than this is late: an answer of a subscriber may come too late for its timeout then, although it was written down. */
const lateMs = 400

/**
 * Writes down when this process, and so the machine, was slow: what it did then it did later than it says. Returns what ends it.
 */
export const watchTheClock = (recorder: Recorder): (() => void) => {
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    const late = now - last - everyMs
    last = now
    if (late < lateMs) return
    const at = recorder.now() - late - everyMs
    setTimeout(recorder.disturbed(`slow by ${late.toFixed(0)} ms`, undefined, { at, hides: 'times' }), 3_000)
  }, everyMs)
  return () => clearInterval(timer)
}
