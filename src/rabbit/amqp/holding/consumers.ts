import { pause } from '../../../async/abort.ts'
import type { Channel } from '../client/channel.ts'
import { setPrefetch, startConsuming, stopConsuming } from '../client/operations.ts'

/**
 * More consumers than these are not requeued in order: RabbitMQ passes on 32 commands to a queue at a time, and those of more by
 * consumer in no certain order; before 4.0 it does so by their tags as texts.
 */
const mostConsumers = 32
/**
 * What a consumer holds is read by the broker in one go, which serves nobody else on that processor meanwhile. So they hold few, but
 * each costs a command of the queue.
 */
const leastOfConsumer = 1_000
/** What AMQP has room for. */
const mostPrefetch = 65_535
/** How soon the next consumer begins when one is full. */
const tickMs = 20

/** Nothing more came for so long: the queue has been seen. */
const quietMs = 300
const longestQuietMs = 10_000

/** Tags of consumers, in an order that they have as texts too. */
export const consumerTags: readonly string[] = Array.from(
  { length: mostConsumers },
  (_, at) => `waybill-${String(at).padStart(2, '0')}`,
)

/** How many each consumer holds, where so many are wanted. */
export const eachFor = (wanted: number): number => Math.max(leastOfConsumer, Math.ceil(wanted / (mostConsumers - 1)))

/** Consumers that hold `most` messages together at most: `each` of them so many, and the last one what comes meanwhile. */
export const consumersOn = (
  channel: Channel,
  queue: string,
  { most, each }: { readonly most: number; readonly each: number },
) => {
  const tags: string[] = []
  let capacity = 0
  return {
    capacity: () => capacity,
    count: () => tags.length,
    async startNext(): Promise<void> {
      const mostOfNext = tags.length < mostConsumers - 1 ? each : mostPrefetch
      const prefetch = Math.min(most - capacity, mostOfNext)
      if (prefetch <= 0 || tags.length === mostConsumers) return
      capacity += prefetch
      const tag = consumerTags[tags.length] as string
      tags.push(tag)
      await setPrefetch(channel, prefetch)
      await startConsuming(channel, queue, tag)
    },
    async stop(): Promise<void> {
      await Promise.all(tags.map((tag) => stopConsuming(channel, tag)))
    },
  }
}

export type Consumers = ReturnType<typeof consumersOn>

/** Which of them has the delivery with this tag. */
export const consumerOf = (tag: number, each: number): number => Math.min(Math.ceil(tag / each), mostConsumers)

type Seeing = { seen(): number; readonly wanted: number; readonly most: number }

/** Starts one consumer after the other until all that is wanted was seen, or nothing comes any more. */
export const untilSeen = async (
  channel: Channel,
  consumers: Consumers,
  { seen, wanted, most }: Seeing,
  signal: AbortSignal,
): Promise<void> => {
  let enoughSince: number | undefined
  for (let quiet = 0, before = -1; seen() < most && quiet < longestQuietMs && !signal.aborted; ) {
    if (channel.end) return
    // One after the other: several that are not full would get the messages in turns, and requeue them in that order.
    if (seen() >= consumers.capacity()) await consumers.startNext()
    await pause(tickMs, signal)
    quiet = seen() === before ? quiet + tickMs : 0
    before = seen()
    // Not until nothing more comes: while messages are dead-lettered that would never be.
    if (seen() >= wanted) enoughSince ??= performance.now()
    if (enoughSince !== undefined && performance.now() - enoughSince >= quietMs) return
  }
}
