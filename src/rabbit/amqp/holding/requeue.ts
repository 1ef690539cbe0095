import { pause } from '../../../async/abort.ts'
import { momentsOf } from '../../../async/effects.ts'
import type { Channel } from '../client/channel.ts'
import { checkQueue, rejectUpTo } from '../client/operations.ts'
import type { Wire } from '../client/wire.ts'
import { consumerOf } from './consumers.ts'

const lettersRequeued = momentsOf('letters-requeued')

/** Far fewer commands than the broker passes on at a time. */
const rejectedAtATime = 8
/** Somebody else may have taken them. */
const backWithinMs = 3_000
const everyMs = 30

/** What a queue has again afterwards: so many messages that are ready, and no consumers but so many others. */
export type Back = {
  readonly queue: string
  /** Tags are counted from 1 on. */
  readonly lastTag: number
  /** The tags of the deliveries that it does not get back. */
  readonly settled: ReadonlySet<number>
  /** So many deliveries in a row are those of one consumer; the last one has the rest. */
  readonly each: number
  readonly ready: number
  readonly others: number
}

/** Requeues the deliveries that are not settled, waits until the queue is as it was, and disconnects. */
export const requeue = async (wire: Wire, channel: Channel, back: Back, signal: AbortSignal): Promise<void> => {
  try {
    if (requeuesInOrder(wire) && !channel.end) {
      lettersRequeued.before.publish(undefined)
      for (const [rejected, { tag, count }] of lastOfEach(back).entries()) {
        rejectUpTo(channel, tag, true)
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
 * The last delivery of each consumer that holds any, and how many there are up to it: what several hold is requeued in no certain
 * order. The broker ends a channel on which nothing is open up to the tag that is rejected.
 */
const lastOfEach = ({ lastTag, settled, each }: Back): readonly Last[] => {
  const lasts = new Map<number, Last>()
  let count = 0
  for (let tag = 1; tag <= lastTag; tag += 1) {
    if (settled.has(tag)) continue
    count += 1
    lasts.set(consumerOf(tag, each), { tag, count })
  }
  return [...lasts.values()]
}

type Last = { readonly tag: number; readonly count: number }

/**
 * Waits until the queue has its messages again, so that who looks next sees them too. The broker says nothing when it has
 * taken a `nack`, and forgets one that it has not passed on yet when the channel is closed.
 */
const untilBack = async (channel: Channel, { queue, ready, others }: Back, signal: AbortSignal): Promise<void> => {
  for (let waited = 0; waited < backWithinMs && !signal.aborted && !channel.end; waited += everyMs) {
    const { messages, consumers } = await checkQueue(channel, queue)
    if (messages >= ready && consumers <= others) return
    await pause(everyMs, signal)
  }
}

/** Before RabbitMQ 4.0 what is requeued goes behind everything else; only what a channel held when it was closed does not. */
const requeuesInOrder = ({ version }: Wire): boolean => !version?.startsWith('3.')
