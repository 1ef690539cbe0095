import { momentsOf } from '../../../async/effects.ts'
import type { Message } from '../../../delivery/message/message.ts'
import type { Endpoint } from '../../endpoint.ts'
import type { Delivered } from '../client/channel.ts'
import { acknowledge, checkQueue } from '../client/operations.ts'
import type { Wire } from '../client/wire.ts'
import { messageOf } from '../deliveries/message-of.ts'
import { openConnection } from '../open-connection.ts'
import { consumersOn, eachFor, untilSeen } from './consumers.ts'
import { givingWay } from './give-way.ts'
import { requeue } from './requeue.ts'
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
  /** It can wait: it reads slowly, unless somebody waits for it, and who holds the queue in this process is not asked to hurry. */
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
  { queue, most, patient, look, begins }: HoldOptions,
  turn: Turn,
  signal: AbortSignal,
): Promise<Held> => {
  let seen = 0
  /** Tags are counted from 1 on. */
  let lastTag = 0
  const removed = new Set<number>()
  const giveWay = givingWay(wire, () => patient === true && !turn.isAwaited)
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
  const each = eachFor(wanted)
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
      requeue(wire, channel, { queue, lastTag, settled: removed, each, ready: ready - removed.size, others }, signal),
  }
}
