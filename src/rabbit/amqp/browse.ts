import { pause } from '../../async/abort.ts'
import type { Message } from '../../delivery/message/message.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Channel, Delivered } from './client/channel.ts'
import { checkQueue, rejectUpTo, setPrefetch, startConsuming, stopConsuming } from './client/operations.ts'
import type { Wire } from './client/wire.ts'
import { messageOf } from './deliveries/message-of.ts'
import { openConnection } from './open-connection.ts'

export type BrowseOptions = {
  readonly queue: string
  /**
   * Looks at so many messages at most, from the head on; {@link mostHeld} at most. Where the queue holds more, those go behind
   * the others that were looked at before.
   */
  readonly most: number
  /** Called for each message, in the order of the queue. The bytes are its own: they may be kept. */
  look(message: Message): void
}

export type Browsed = {
  readonly seen: number
  /** Whether that were all messages which were ready when it began. */
  readonly isComplete: boolean
}

/** More would take too much of the broker's memory: it remembers about 200 bytes of each message that is held. */
export const mostHeld = 200_000

/** Of one consumer; the prefetch is a number of 16 bits. */
const mostOfConsumer = 60_000
/** What is given back at a time, so that the queue is not busy with it for long. */
const sliceOf = 10_000
/** Nothing more came for so long: the queue has been seen. */
const quietMs = 300
const longestQuietMs = 10_000
/** Somebody else may have taken them. */
const backWithinMs = 3_000

/**
 * Looks at the messages of a queue without changing anything that anybody sees: they are held, unacknowledged, and then given
 * back in their order with `basic.nack`, which is no failed delivery. Meanwhile nobody else gets those that are held. On a
 * connection of its own: when that is lost, the broker takes them back.
 *
 * That the order is kept was tried on 3.10.8 and 4.3.6, with a delivery limit that is never reached (on 3.10.8 without one).
 *
 * @throws {EndedError} when the queue does not exist or the connection breaks
 */
export const browse = async (endpoint: Endpoint, options: BrowseOptions, signal: AbortSignal): Promise<Browsed> => {
  const wire = await openConnection(endpoint, { name: 'waybill browse', heartbeatSeconds: 10 }, signal)
  try {
    return await browseOn(wire, { ...options, most: Math.min(options.most, mostHeld) }, signal)
  } finally {
    await wire.close()
  }
}

const browseOn = async (wire: Wire, options: BrowseOptions, signal: AbortSignal): Promise<Browsed> => {
  const { queue, most, look } = options
  let seen = 0
  let last = 0
  const delivered = (delivery: Delivered): void => {
    last = delivery.deliveryTag
    if (seen >= most) return
    seen += 1
    look(messageOf(delivery))
  }
  const channel = await wire.openChannel({ delivered })
  const { messages: ready } = await checkQueue(channel, queue)
  const wanted = Math.min(ready, most)
  const stop = await consume(channel, queue, most)
  for (let quiet = 0, before = -1; seen < most && quiet < longestQuietMs && !signal.aborted; ) {
    if (channel.end) break
    await pause(quietMs / 3, signal)
    quiet = seen === before ? quiet + quietMs / 3 : 0
    before = seen
    if (seen >= wanted && quiet >= quietMs) break
  }
  await stop()
  if (keepsOrder(wire)) {
    for (let tag = Math.min(sliceOf, last); tag > 0; tag = tag < last ? Math.min(tag + sliceOf, last) : 0)
      rejectUpTo(channel, tag, true)
    await untilBack(channel, queue, ready, signal)
  }
  await channel.close()
  return { seen, isComplete: seen >= wanted && wanted === ready }
}

/**
 * Waits until the queue has its messages again, so that who looks next sees them too. The broker says nothing when it has
 * taken a `nack`, and forgets one that it has not passed on yet when the channel is closed.
 */
const untilBack = async (channel: Channel, queue: string, ready: number, signal: AbortSignal): Promise<void> => {
  for (let waited = 0; waited < backWithinMs && !signal.aborted && !channel.end; waited += quietMs / 10) {
    if ((await checkQueue(channel, queue)).messages >= ready) return
    await pause(quietMs / 10, signal)
  }
}

/** Before RabbitMQ 4.0 what is given back goes behind everything else; only what a channel held when it was closed does not. */
const keepsOrder = ({ version }: Wire): boolean => !version?.startsWith('3.')

/** Starts as many consumers as it takes to hold `most` messages. */
const consume = async (channel: Channel, queue: string, most: number): Promise<() => Promise<void>> => {
  const tags: string[] = []
  for (let left = most; left > 0; left -= mostOfConsumer) {
    const tag = `waybill-${tags.length}`
    tags.push(tag)
    await setPrefetch(channel, Math.min(left, mostOfConsumer))
    await startConsuming(channel, queue, tag)
  }
  return async () => {
    for (const tag of tags) await stopConsuming(channel, tag)
  }
}
