import { pause } from '../../../async/abort.ts'
import { momentsOf } from '../../../async/effects.ts'
import type { Message } from '../../../delivery/message/message.ts'
import type { Endpoint } from '../../endpoint.ts'
import type { Channel, Delivered } from '../client/channel.ts'
import {
  acknowledge,
  checkQueue,
  rejectUpTo,
  setPrefetch,
  startConsuming,
  stopConsuming,
} from '../client/operations.ts'
import type { Wire } from '../client/wire.ts'
import { messageOf } from '../deliveries/message-of.ts'
import { openConnection } from '../open-connection.ts'
import { type Turn, turnFor } from './turns.ts'

export type HoldOptions = {
  readonly queue: string
  /** The purpose, as the broker's management shows it. */
  readonly name: string
  /**
   * Holds so many messages at most, from the head on; {@link mostHeld} at most. Where the queue holds more, those go behind
   * the others that were held before.
   */
  readonly most: number
  /** It can wait: who holds the queue in this process is not asked to hurry. */
  readonly patient?: boolean
  /** Called with how many it will hold, before the first of them. */
  begins?(count: number): void
  /** Called for each message, in the order of the queue. Its bytes are read over by the next: who keeps it takes a copy (`copyOf`). */
  look(message: Message, tag: number): void
}

/** The messages of a queue, held: nobody else gets them meanwhile. */
export type Held = {
  readonly seen: number
  /** Whether those are all messages that were ready when it began. */
  readonly isComplete: boolean
  /**
   * Whether nobody else, such as another replica, consumes it. Where somebody did when it began, nothing is held: what two hold
   * at a time is not requeued in its order.
   */
  readonly isAlone: boolean
  /** Whether somebody in this process, such as a person who asked for a list, waits for the queue. */
  readonly isAwaited: boolean
  /** The connection is lost: the broker has taken all of them back. */
  readonly lost: boolean
  /** Removes one of them from the queue. Resolves once the broker has taken it. @throws {EndedError} */
  remove(tag: number): Promise<void>
  /** Requeues the others, in their order, and disconnects. */
  requeueOthers(): Promise<void>
}

/** More would take too much of the broker's memory: it remembers about 200 bytes of each message that is held. */
export const mostHeld = 200_000

const lettersRemoved = momentsOf('letter-removed')
const lettersRequeued = momentsOf('letters-requeued')

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
/** Far fewer commands than the broker passes on at a time. */
const rejectedAtATime = 8
/** How soon the next consumer begins when one is full. */
const tickMs = 20

/** Tags of consumers, in an order that they have as texts too. */
export const consumerTags: readonly string[] = Array.from(
  { length: mostConsumers },
  (_, at) => `waybill-${String(at).padStart(2, '0')}`,
)

/** Nothing more came for so long: the queue has been seen. */
const quietMs = 300
const longestQuietMs = 10_000
/** Somebody else may have taken them. */
const backWithinMs = 3_000

/**
 * Takes the messages of a queue in hand, unacknowledged, to look at them and to remove some. Those that are requeued are in the
 * order that they had, and that counts as no failed delivery (`basic.nack`). On a connection of its own: when that is
 * lost, the broker takes them back. RabbitMQ does so too after its consumer timeout, 30 minutes by default.
 *
 * In this process it waits until nobody else holds the queue. `signal` ends the look; `drop` ends the connection too.
 *
 * That the order is kept was tried on 3.10.8 and 4.3.6, with a delivery limit that is never reached (on 3.10.8 without one).
 *
 * @throws {EndedError} when the queue does not exist or the connection breaks
 */
export const hold = async (
  endpoint: Endpoint,
  options: HoldOptions,
  signal: AbortSignal,
  drop: AbortSignal = signal,
): Promise<Held> => {
  const { amqp, vhost } = endpoint
  const turn = await turnFor(JSON.stringify([amqp.hostname, amqp.port, vhost, options.queue]), options)
  try {
    const wire = await openConnection(endpoint, { name: options.name, heartbeatSeconds: 10 }, drop)
    void wire.ended.then(() => turn.end())
    return await holdOn(wire, { ...options, most: Math.min(options.most, mostHeld) }, turn, signal).catch(
      async (error) => {
        await wire.close()
        throw error
      },
    )
  } catch (error) {
    turn.end()
    throw error
  }
}

const holdOn = async (
  wire: Wire,
  { queue, most, look, begins }: HoldOptions,
  turn: Turn,
  signal: AbortSignal,
): Promise<Held> => {
  let seen = 0
  /** Tags are counted from 1 on. */
  let lastTag = 0
  const removed = new Set<number>()
  const giveWay = givingWay(wire)
  const delivered = (delivery: Delivered): void => {
    giveWay()
    lastTag = delivery.deliveryTag
    if (seen >= most) return
    seen += 1
    look(messageOf(delivery), delivery.deliveryTag)
  }
  const channel = await wire.openChannel({ readsOver: true, delivered })
  const { messages: ready, consumers: others } = await checkQueue(channel, queue)
  const wanted = Math.min(ready, most)
  begins?.(wanted)
  const each = Math.max(leastOfConsumer, Math.ceil(wanted / (mostConsumers - 1)))
  const consumers = consumersOn(channel, queue, { most, each })
  if (others === 0) await untilSeen(channel, consumers, { seen: () => seen, wanted, most }, signal)
  const isAlone = others === 0 && (await checkQueue(channel, queue)).consumers <= consumers.count()
  await consumers.stop()
  return {
    seen,
    isComplete: seen >= wanted && wanted === ready,
    isAlone,
    get isAwaited() {
      return turn.isAwaited
    },
    get lost() {
      return channel.end !== undefined
    },
    async remove(tag) {
      lettersRemoved.before.publish(undefined)
      acknowledge(channel, tag, false)
      removed.add(tag)
      // There is no answer to an acknowledgement; what is answered behind it says that it was taken.
      await checkQueue(channel, queue)
      lettersRemoved.after.publish(undefined)
    },
    requeueOthers: () =>
      requeue(
        wire,
        channel,
        { queue, tags: openTags(lastTag, removed), each, ready: ready - removed.size, others },
        signal,
      ),
  }
}

/** Of the deliveries that are not settled, in their order. */
const openTags = (last: number, settled: ReadonlySet<number>): number[] => {
  const tags: number[] = []
  for (let tag = 1; tag <= last; tag += 1) if (!settled.has(tag)) tags.push(tag)
  return tags
}

/** What a queue has again afterwards: so many messages that are ready, and no consumers but so many others. */
type Back = {
  readonly queue: string
  readonly tags: readonly number[]
  /** So many deliveries in a row are those of one consumer; the last one has the rest. */
  readonly each: number
  readonly ready: number
  readonly others: number
}

/** Requeues the deliveries with these tags, waits until the queue is as it was, and disconnects. */
const requeue = async (wire: Wire, channel: Channel, back: Back, signal: AbortSignal): Promise<void> => {
  try {
    if (requeuesInOrder(wire) && !channel.end) {
      lettersRequeued.before.publish(undefined)
      for (const [rejected, count] of lastOfEach(back).entries()) {
        rejectUpTo(channel, back.tags[count - 1] as number, true)
        if ((rejected + 1) % rejectedAtATime === 0)
          await untilBack(channel, { ...back, ready: count, others: Infinity }, signal)
      }
      await untilBack(channel, back, signal)
      lettersRequeued.after.publish(undefined)
    }
    await channel.close()
    // What the channel still held, and its consumers, leave the queue some time after the broker has closed the channel.
    if (!wire.end) await untilBack(await wire.openChannel({}), back, signal)
  } finally {
    await wire.close()
  }
}

/**
 * Reads once, and then lets everything else in this process have its turn, such as live deliveries. Else a socket is read
 * for as long as there is more, two megabytes at a time.
 */
const givingWay = (wire: Wire) => {
  let isPaused = false
  const goOn = (): void => {
    isPaused = false
    wire.resumeReading()
  }
  return (): void => {
    if (isPaused) return
    isPaused = true
    wire.pauseReading()
    setImmediate(goOn)
  }
}

type Seeing = { seen(): number; readonly wanted: number; readonly most: number }

/** Starts one consumer after the other until all that is wanted was seen, or nothing comes any more. */
const untilSeen = async (
  channel: Channel,
  consumers: ReturnType<typeof consumersOn>,
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

/**
 * How many deliveries there are up to the last one of each consumer that holds any: what several hold is requeued in no certain
 * order. The broker ends a channel on which nothing is open up to the tag that is rejected.
 */
const lastOfEach = ({ tags, each }: Back): readonly number[] => {
  const consumerOf = (tag: number): number => Math.min(Math.ceil(tag / each), mostConsumers)
  return tags.flatMap((tag, index) => {
    const next = tags[index + 1]
    return next !== undefined && consumerOf(next) === consumerOf(tag) ? [] : [index + 1]
  })
}

/**
 * Waits until the queue has its messages again, so that who looks next sees them too. The broker says nothing when it has
 * taken a `nack`, and forgets one that it has not passed on yet when the channel is closed.
 */
const untilBack = async (channel: Channel, { queue, ready, others }: Back, signal: AbortSignal): Promise<void> => {
  for (let waited = 0; waited < backWithinMs && !signal.aborted && !channel.end; waited += quietMs / 10) {
    const { messages, consumers } = await checkQueue(channel, queue)
    if (messages >= ready && consumers <= others) return
    await pause(quietMs / 10, signal)
  }
}

/** Before RabbitMQ 4.0 what is requeued goes behind everything else; only what a channel held when it was closed does not. */
const requeuesInOrder = ({ version }: Wire): boolean => !version?.startsWith('3.')

/** Consumers that hold `most` messages together at most: `each` of them so many, and the last one what comes meanwhile. */
const consumersOn = (channel: Channel, queue: string, { most, each }: { most: number; each: number }) => {
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
