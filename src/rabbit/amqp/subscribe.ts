import { unlessAborted } from '../../async/abort.ts'
import { EndedError } from './client/ended.ts'
import type { Wire } from './client/wire.ts'
import type { ConsumeChannel, Receiver } from './consume-channel.ts'
import type { Place } from './consume-channels.ts'
import type { Seat } from './links.ts'
import type { PauseSwitch } from './pause-switch.ts'
import type { ConsumerState } from './port.ts'

export type SubscribeOptions = Omit<Receiver, 'onEnd' | 'prefetch'> & {
  readonly switched: PauseSwitch
  /** A place on a channel; `alone` for a consumer that may bring its channel down. */
  place(open: Wire, alone: boolean): Promise<Place>
  report(state: ConsumerState): void
}

/** Why the broker ended a consumer; `isLate`: it had a message for longer than the broker allows. */
export type Ending = { readonly reason: string; readonly isLate: boolean }

/** One consumer's subscriptions on the broker, one after the other. */
export const subscriber = (options: SubscribeOptions, stopped: AbortSignal) => {
  const { holding, switched, report } = options
  let channel: ConsumeChannel | undefined
  let isSuspect = false

  return {
    /**
     * Consumes until it is stopped or has to move, or has been paused and is resumed, or the broker ends it and says why.
     * What was handed out before it moves can still be settled.
     */
    async once(open: Wire, { oneByOne, moved }: Seat): Promise<Ending | undefined> {
      const end = Promise.withResolvers<Ending>()
      const place = await options.place(open, isSuspect)
      channel = place.channel
      const prefetch = oneByOne ? 1 : holding.prefetch
      let ending: Ending | undefined
      let tag: string
      try {
        tag = await place.channel
          .consume({ ...options, prefetch, onEnd: (why, isLate) => end.resolve({ reason: why, isLate }) })
          .catch((error) => {
            // A refusal closes the channel for all consumers on it: the next try gets a channel of its own.
            isSuspect = refusalOf(error) !== undefined
            throw error
          })
        isSuspect = false
        if (!switched.isPaused) report({ is: 'consuming' })
        ending = await unlessAborted(end.promise, AbortSignal.any([stopped, switched.paused, moved]))
        await place.channel.cancel(tag)
      } finally {
        // The channel closes once its messages are settled, and the broker takes back what it had on its way.
        place.leave()
      }
      // The broker closes a whole channel for one message that takes too long.
      isSuspect = ending?.isLate === true
      if (ending === undefined && switched.isPaused) {
        report({ is: 'paused' })
        // The receiver stays: a quorum queue may deliver after the broker confirmed the cancel.
        await unlessAborted(switched.resumed(), stopped)
      }
      // After a move it stays too, until its channel closes with the last message.
      if (!moved.aborted) place.channel.forget(tag)
      return ending
    },
    /** Sends the acknowledgements of all messages settled so far. */
    flush: (): void => channel?.flush(),
  }
}

/** The broker's code where it closed the channel. */
export const refusalOf = (error: unknown): number | undefined =>
  error instanceof EndedError ? error.refusal : undefined
