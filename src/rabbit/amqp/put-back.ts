import { pause } from '../../async/abort.ts'
import type { Endpoint } from '../endpoint.ts'
import { connectAmqp } from './connect.ts'
import type { AmqpLog, Delivery } from './port.ts'
import { PublishError } from './publish-error.ts'

export type PutBackOptions = {
  /** The queue that holds the messages, and about how many there are. */
  readonly queue: string
  readonly count: number
  /** Where they are published with the routing keys that they have. */
  readonly exchange: string
  /** Whether a message with this routing key finds its queue again. */
  isWanted(routingKey: string): boolean
}

/** At most so many are looked at in one pass, because those that stay must be held meanwhile. */
const mostInHand = 2_000
const connectWithinMs = 10_000
/** Nothing more came for so long: the queue has been seen. */
const quietMs = 1_000

/**
 * Moves messages of a queue to where their routing keys lead now: each is published as it is, and acknowledged once the broker
 * has confirmed the copy. The others go back in their order. Returns how many were moved; it ends early where the connection
 * breaks, and the next pass goes on.
 */
export const putBack = async (
  endpoint: Endpoint,
  fence: () => void,
  { queue, count, exchange, isWanted }: PutBackOptions,
  log: AmqpLog,
  signal: AbortSignal,
): Promise<number> => {
  fence()
  const amqp = connectAmqp(endpoint, { name: 'waybill operator orphans', log }, signal)
  const most = Math.min(mostInHand, Math.ceil(count * 1.2) + 10)
  const kept: Delivery[] = []
  let [moved, seen, before, underWay] = [0, 0, -1, 0]
  let isConsuming = false

  const move = async (delivery: Delivery): Promise<void> => {
    const { content, properties, fields } = delivery.message
    underWay += 1
    try {
      await amqp.publish({ exchange, routingKey: fields.routingKey, body: content, properties: properties.raw })
      delivery.acknowledge()
      moved += 1
    } catch (error) {
      if (!(error instanceof PublishError)) throw error
      kept.push(delivery)
    } finally {
      underWay -= 1
    }
  }

  const consumer = amqp.consume({
    queue,
    prefetch: most,
    onDelivery(delivery) {
      seen += 1
      if (isWanted(delivery.message.fields.routingKey)) void move(delivery)
      else kept.push(delivery)
    },
    onState({ is }) {
      isConsuming = is === 'consuming'
    },
  })
  for (let waited = 0; !isConsuming && waited < connectWithinMs && !signal.aborted; waited += 100)
    await pause(100, signal)
  while ((seen !== before || underWay > 0) && kept.length < most && !signal.aborted) {
    before = seen
    await pause(quietMs, signal)
  }
  const stopped = consumer.stop(AbortSignal.any([signal, AbortSignal.timeout(5_000)]))
  for (const delivery of kept) delivery.requeue()
  await stopped
  await amqp.close()
  return moved
}
