import { atMost } from '../../async/limit.ts'
import type { ConsumeChannels } from './consume-channels.ts'
import { type ConsumerParts, startConsumer } from './consumer.ts'
import type { Links } from './links.ts'
import type { AmqpLog, ConsumeOptions, Consumer } from './port.ts'
import { queueProbe } from './queue-probe.ts'

export type Consumers = {
  start(options: ConsumeOptions): Consumer
  /** Ends all consumers. Every acknowledgement has reached the broker when it resolves. */
  close(): Promise<void>
}

const startingAtOnce = 16

/** The consumers of one broker, each on the link of its queue. */
export const consumersOf = (links: Links, channels: ConsumeChannels, log: AmqpLog): Consumers => {
  const probe = queueProbe()
  const inTurn = atMost(startingAtOnce)
  const closing = new AbortController()

  const parts: ConsumerParts = {
    seatOf: links.seatOf,
    log,
    place: (open, queue, alone) =>
      inTurn(async () => {
        await probe(open, queue)
        return channels.take(open, alone)
      }),
  }

  return {
    start: (options) => {
      const leave = links.enter(options.queue)
      const consumer = startConsumer(options, parts, closing.signal)
      let hasLeft = false
      const leaveOnce = (): void => {
        if (!hasLeft) leave()
        hasLeft = true
      }
      return {
        ...consumer,
        stop: (signal) => consumer.stop(signal).finally(leaveOnce),
      }
    },
    close: () => {
      closing.abort()
      return channels.close()
    },
  }
}
