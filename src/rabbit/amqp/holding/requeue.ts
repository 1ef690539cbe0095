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
  readonly tags: readonly number[]
  /** So many deliveries in a row are those of one consumer; the last one has the rest. */
  readonly each: number
  readonly ready: number
  readonly others: number
}

/** Requeues the deliveries with these tags, waits until the queue is as it was, and disconnects. */
export const requeue = async (wire: Wire, channel: Channel, back: Back, signal: AbortSignal): Promise<void> => {
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
 * How many deliveries there are up to the last one of each consumer that holds any: what several hold is requeued in no certain
 * order. The broker ends a channel on which nothing is open up to the tag that is rejected.
 */
const lastOfEach = ({ tags, each }: Back): readonly number[] => {
  const last: number[] = []
  for (let count = 1; count <= tags.length; count += 1) {
    const [tag, next] = [tags[count - 1] as number, tags[count]]
    if (next === undefined || consumerOf(next, each) !== consumerOf(tag, each)) last.push(count)
  }
  return last
}

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
