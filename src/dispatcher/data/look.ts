import { pause } from '../../async/abort.ts'
import type { Message } from '../../delivery/message/message.ts'
import { EndedError } from '../../rabbit/amqp/client/ended.ts'
import { reasonOf } from '../../rabbit/amqp/connection.ts'
import { type Browsed, browse } from '../../rabbit/amqp/holding/browse.ts'
import type { Place } from './place.ts'
import { type Refused, refused } from './refused.ts'

/**
 * Looks at so many letters at most. While somebody else, such as a Replay in another replica, has some of them in hand, it looks
 * again for a while, where `again` is given: that is called before, to forget what was seen. `begins` is called with how many
 * letters it will look at, before the first of them.
 */
export type Look = (
  place: Place,
  most: number,
  look: (message: Message) => void,
  again?: () => void,
  begins?: (count: number) => void,
) => Promise<Browsed | Refused>

const inUse = (queue: string): Refused =>
  refused(409, 'QueueInUse', `somebody else has letters of ${queue} in hand, such as a Replay; try again`)

const waitMs = 5_000
const everyMs = 500

export const createLooks =
  (signal: AbortSignal): Look =>
  async ({ endpoint, queue }, most, look, again, begins = () => undefined) => {
    const until = performance.now() + waitMs
    try {
      for (;;) {
        const seen = await browse(endpoint, { queue, most, look, begins }, signal)
        const mayLookAgain = performance.now() < until && !signal.aborted && (seen.seen === 0 || again !== undefined)
        if (seen.isAlone || !mayLookAgain) return !seen.isAlone && seen.seen === 0 ? inUse(queue) : seen
        await pause(everyMs, signal)
        again?.()
      }
    } catch (error) {
      if (error instanceof EndedError && error.refusal === 404) {
        return refused(409, 'NotDeclared', `queue ${queue} does not exist`)
      }
      return refused(503, 'BrokerUnavailable', `the broker cannot be read: ${reasonOf(error)}`)
    }
  }
