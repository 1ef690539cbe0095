import type { Message } from '../../../delivery/message/message.ts'
import type { Endpoint } from '../../endpoint.ts'
import { type Held, hold } from './hold.ts'

export type BrowseOptions = {
  readonly queue: string
  /** Looks at so many messages at most, from the head on. Where the queue holds more, its order changes: see {@link hold}. */
  readonly most: number
  /** It can wait: it reads slowly, unless somebody waits for it, and a job that holds the queue is not asked to hurry. */
  readonly patient?: boolean
  /** Called with how many it will look at, before the first of them. */
  begins?(count: number): void
  /** Called for each message, in the order of the queue. Its bytes are read over by the next: what is kept is copied. */
  look(message: Message): void
}

export type Browsed = Pick<Held, 'seen' | 'isAlone'> & {
  /** Whether those are all messages that were in the queue when it began: nobody else had some of them in hand. */
  readonly isComplete: boolean
}

/**
 * Looks at the messages of a queue without changing anything that anybody sees: they are held, and then requeued in their order.
 *
 * @throws {EndedError} when the queue does not exist or the connection breaks
 */
export const browse = async (endpoint: Endpoint, options: BrowseOptions, signal: AbortSignal): Promise<Browsed> => {
  const { seen, isComplete, isAlone, requeueOthers } = await hold(
    endpoint,
    { ...options, name: 'waybill browse' },
    signal,
  )
  await requeueOthers()
  return { seen, isAlone, isComplete: isComplete && isAlone }
}
