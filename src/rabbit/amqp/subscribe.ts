import { unlessAborted } from '../../async/abort.ts'
import { EndedError } from './client/ended.ts'
import type { Wire } from './client/wire.ts'
import type { ConsumeChannel, Receiver } from './consume-channel.ts'
import type { Place } from './consume-channels.ts'
import type { PauseSwitch } from './pause-switch.ts'
import type { ConsumerState } from './port.ts'

export type SubscribeOptions = Omit<Receiver, 'onEnd'> & {
  readonly queue: string
  readonly switched: PauseSwitch
  /** A place on a channel; `alone` for a consumer that may bring its channel down. */
  place(open: Wire, alone: boolean): Promise<Place>
  report(state: ConsumerState): void
}

/** One consumer's subscriptions on the broker, one after the other. */
export const subscriber = (options: SubscribeOptions, stopped: AbortSignal) => {
  const { queue, switched, report } = options
  let channel: ConsumeChannel | undefined
  let isSuspect = false

  return {
    /** Consumes until it is stopped, or has been paused and is resumed, or the broker ends it and says why. */
    async once(open: Wire): Promise<string | undefined> {
      const end = Promise.withResolvers<string>()
      const place = await options.place(open, isSuspect)
      channel = place.channel
      let reason: string | undefined
      let tag: string
      try {
        tag = await place.channel.consume(queue, { ...options, onEnd: end.resolve }).catch((error) => {
          // A refusal closes the channel for all consumers on it: the next try gets a channel of its own.
          isSuspect = refusalOf(error) !== undefined
          throw error
        })
        isSuspect = false
        if (!switched.isPaused) report({ is: 'consuming' })
        reason = await unlessAborted(end.promise, AbortSignal.any([stopped, switched.paused]))
        await place.channel.cancel(tag)
      } finally {
        // The channel closes once its messages are settled, and the broker takes back what it had on its way.
        place.leave()
      }
      if (reason === undefined && switched.isPaused) {
        report({ is: 'paused' })
        // The receiver stays: a quorum queue may deliver after the broker confirmed the cancel.
        await unlessAborted(switched.resumed(), stopped)
      }
      place.channel.forget(tag)
      return reason
    },
    /** Sends the acknowledgements of all messages settled so far. */
    flush: (): void => channel?.flush(),
  }
}

/** The broker's code where it closed the channel. */
export const refusalOf = (error: unknown): number | undefined =>
  error instanceof EndedError ? error.refusal : undefined
