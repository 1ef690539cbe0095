export type Pulse = {
  /** Whether anything was sent since the last call. */
  hasSent(): boolean
  hasReceived(): boolean
  send(): void
  /** Nothing came for more than two intervals. */
  silent(): void
}

// Two halves of an interval make one, and after two of those the peer counts as gone. What arrived while the process
// stood still is read between two ticks, so a pause of our own is not taken for one of the peer.
const mostSilentTicks = 5

/** Beats at half the interval. Returns what ends it. */
export const startHeartbeat = (seconds: number, { hasSent, hasReceived, send, silent }: Pulse): (() => void) => {
  if (seconds === 0) return () => undefined
  let silentTicks = 0
  const timer = setInterval(() => {
    silentTicks = hasReceived() ? 0 : silentTicks + 1
    if (silentTicks >= mostSilentTicks) silent()
    else if (!hasSent()) send()
  }, seconds * 500)
  return () => clearInterval(timer)
}
