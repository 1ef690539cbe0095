import { atMost } from '../../async/limit.ts'
import type { Connection } from './connection.ts'
import { consumeChannels } from './consume-channels.ts'
import { type ConsumerParts, startConsumer } from './consumer.ts'
import type { AmqpLog, ConsumeOptions, Consumer } from './port.ts'
import { queueProbe } from './queue-probe.ts'

export type Consumers = {
  start(options: ConsumeOptions): Consumer
  /** Ends all consumers. Every acknowledgement has reached the broker when it resolves. */
  close(): Promise<void>
}

const startingAtOnce = 16

/** The consumers of one connection. */
export const consumersOf = (connection: Connection, log: AmqpLog): Consumers => {
  const channels = consumeChannels()
  const probe = queueProbe()
  const inTurn = atMost(startingAtOnce)
  const closing = new AbortController()

  const parts: ConsumerParts = {
    connection,
    log,
    place: (open, queue, alone) =>
      inTurn(async () => {
        await probe(open, queue)
        return channels.take(open, alone)
      }),
  }

  return {
    start: (options) => startConsumer(options, parts, closing.signal),
    close: () => {
      closing.abort()
      return channels.close()
    },
  }
}
