import type { Wire } from '../client/wire.ts'

/**
 * A rest after so many messages halves what the broker's and this processor's other work, such as live deliveries, waits for them:
 * 25,000 messages are read in a second at most.
 */
const restAfter = 50
const restMs = 2

/**
 * To be called with each message. Reads once, and then lets everything else in this process have its turn, such as live deliveries:
 * else a socket is read for as long as there is more, two megabytes at a time. While it `mayRest`, it also reads slowly.
 */
export const givingWay = (wire: Pick<Wire, 'pauseReading' | 'resumeReading'>, mayRest: () => boolean) => {
  let isPaused = false
  let sinceRest = 0
  const goOn = (): void => {
    isPaused = false
    wire.resumeReading()
  }
  return (): void => {
    sinceRest += 1
    if (isPaused) return
    isPaused = true
    wire.pauseReading()
    if (sinceRest < restAfter || !mayRest()) {
      setImmediate(goOn)
    } else {
      sinceRest = 0
      setTimeout(goOn, restMs)
    }
  }
}
