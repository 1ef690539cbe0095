import type { ChannelModel } from 'amqplib'
import { type Backoff, backoffMs, pause, unlessAborted } from '../../async/backoff.ts'
import { atMost } from '../../async/limit.ts'
import { Holding } from './acknowledgements.ts'
import { type Connection, reasonOf } from './connection.ts'
import type { ConsumeChannel } from './consume-channel.ts'
import { consumeChannels } from './consume-channels.ts'
import type { ConsumeOptions, Consumer, ConsumerState, Delivery, Log } from './port.ts'
import { queueProbe } from './queue-probe.ts'

export type Consumers = {
  start(options: ConsumeOptions): Consumer
  /** Ends all consumers. Every acknowledgement has reached the broker when it resolves. */
  close(): Promise<void>
}

const backoff: Backoff = { first: 100, most: 5_000 }
const accessRefused = 403
const notFound = 404
const startingAtOnce = 16

/** The consumers of one connection. */
export const consumersOf = (connection: Connection, log: Log): Consumers => {
  const channels = consumeChannels()
  const probe = queueProbe()
  const inTurn = atMost(startingAtOnce)
  const closing = new AbortController()

  const start = (options: ConsumeOptions): Consumer => {
    const { queue } = options
    const stopping = new AbortController()
    const stopped = AbortSignal.any([stopping.signal, closing.signal])
    const holding = new Holding(options.prefetch)
    let state: ConsumerState | undefined
    let channel: ConsumeChannel | undefined
    let isSuspect = false

    const say = (now: ConsumerState): void => {
      if (stopped.aborted || (state?.is === now.is && state.reason === now.reason)) return
      state = now
      options.onState(now)
    }

    const take = (delivery: Delivery): void => {
      try {
        if (stopped.aborted) delivery.requeue()
        else options.onDelivery(delivery)
      } catch (error) {
        // It stays unsettled, so that nothing is lost; the broker redelivers it when the channel ends.
        log.error({ queue, err: error }, 'Could not take a message')
      }
    }

    /** Consumes until stopped, or until the broker ends it and says why. */
    const consumeOnce = async (open: ChannelModel): Promise<string | undefined> => {
      const end = Promise.withResolvers<string>()
      const place = await inTurn(async () => {
        await probe(open, queue)
        return channels.take(open, isSuspect)
      })
      channel = place.channel
      try {
        const receiver = { holding, onDelivery: take, onEnd: end.resolve }
        const tag = await place.channel.consume(queue, receiver).catch((error) => {
          // A refusal closes the channel for all who are on it: the next try gets one by itself.
          isSuspect = codeOf(error) !== undefined
          throw error
        })
        isSuspect = false
        say({ is: 'consuming' })
        const reason = await unlessAborted(end.promise, stopped)
        await place.channel.cancel(tag)
        return reason
      } finally {
        place.leave()
      }
    }

    const run = async (): Promise<void> => {
      let failures = 0
      while (!stopped.aborted) {
        if (connection.state.is === 'down') say({ is: 'waiting', reason: connection.state.reason })
        const open = await unlessAborted(connection.opened(), stopped)
        if (open === undefined) return
        let waitMs = backoffMs(1, backoff)
        try {
          const reason = await consumeOnce(open)
          failures = 0
          if (reason !== undefined) say({ is: 'waiting', reason })
        } catch (error) {
          waitMs = codeOf(error) === accessRefused ? backoff.most : backoffMs(++failures, backoff)
          say({ is: 'waiting', reason: codeOf(error) === notFound ? 'the queue does not exist' : reasonOf(error) })
        }
        await pause(waitMs, stopped)
      }
    }
    const ended = run()

    return {
      stop: async (signal) => {
        stopping.abort()
        await unlessAborted(ended, signal)
        await unlessAborted(holding.emptied(), signal)
        channel?.flush()
      },
    }
  }

  return {
    start,
    close: () => {
      closing.abort()
      return channels.close()
    },
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
