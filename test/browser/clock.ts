/** The variable with what {@link hurried} is told: when it began, in ms since 1970. */
export const variable = 'SCREENSHOTS_BEGAN'

const speed = 30
export const hourMs = 58 * 60_000

/** An hour that passes in two minutes: it begins an hour ago, and once it has caught up it is the time. */
export const hurried = (beganMs: number, realMs: number): number =>
  Math.round(Math.min(realMs, beganMs - hourMs + (realMs - beganMs) * speed))
