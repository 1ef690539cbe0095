import { atMost } from '../../async/limit.ts'
import type { Message } from '../../delivery/message/message.ts'
import { EndedError } from '../../rabbit/amqp/client/ended.ts'
import { reasonOf } from '../../rabbit/amqp/connection.ts'
import { type Browsed, browse } from '../../rabbit/amqp/holding/browse.ts'
import type { Place } from './place.ts'
import { type Refused, refused } from './refused.ts'

/** Looks at so many letters at most, one look at a queue at a time: who holds a message hides it from all others. */
export type Look = (place: Place, most: number, look: (message: Message) => void) => Promise<Browsed | Refused>

export const createLooks = (signal: AbortSignal): Look => {
  const inTurn = createTurns()
  return ({ key, endpoint, queue }, most, look) =>
    inTurn(key, async () => {
      try {
        return await browse(endpoint, { queue, most, look }, signal)
      } catch (error) {
        if (error instanceof EndedError && error.refusal === 404) {
          return refused(409, 'NotDeclared', `queue ${queue} does not exist`)
        }
        return refused(503, 'BrokerUnavailable', `the broker cannot be read: ${reasonOf(error)}`)
      }
    })
}

type Turn = { readonly run: ReturnType<typeof atMost>; waiting: number }

/** Does pieces of work with the same key one after the other. */
export const createTurns = (): (<T>(key: string, work: () => Promise<T>) => Promise<T>) => {
  const turns = new Map<string, Turn>()
  return async (key, work) => {
    const turn = turns.get(key) ?? { run: atMost(1), waiting: 0 }
    turns.set(key, turn)
    turn.waiting += 1
    try {
      return await turn.run(work)
    } finally {
      turn.waiting -= 1
      if (turn.waiting === 0) turns.delete(key)
    }
  }
}
