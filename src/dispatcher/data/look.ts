import type { Message } from '../../delivery/message/message.ts'
import { EndedError } from '../../rabbit/amqp/client/ended.ts'
import { reasonOf } from '../../rabbit/amqp/connection.ts'
import { type Browsed, browse } from '../../rabbit/amqp/holding/browse.ts'
import type { Place } from './place.ts'
import { type Refused, refused } from './refused.ts'

/** Looks at so many letters at most. */
export type Look = (place: Place, most: number, look: (message: Message) => void) => Promise<Browsed | Refused>

export const createLooks =
  (signal: AbortSignal): Look =>
  async ({ endpoint, queue }, most, look) => {
    try {
      return await browse(endpoint, { queue, most, look }, signal)
    } catch (error) {
      if (error instanceof EndedError && error.refusal === 404) {
        return refused(409, 'NotDeclared', `queue ${queue} does not exist`)
      }
      return refused(503, 'BrokerUnavailable', `the broker cannot be read: ${reasonOf(error)}`)
    }
  }
