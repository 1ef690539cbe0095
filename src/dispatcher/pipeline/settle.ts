import { setTimeout as delay } from 'node:timers/promises'
import type { Copy } from '../../delivery/message/copy.ts'
import { reducedCopy } from '../../delivery/message/reduced-copy.ts'
import type { Amqp, Delivery } from '../../rabbit/amqp/port.ts'
import { PublishError } from '../../rabbit/amqp/publish-error.ts'

export type SettleHooks = {
  /** A copy was not confirmed; the original stays in its queue and the copy is tried again after `retryMs`. */
  unconfirmed(error: PublishError, retryMs: number): void
}

const firstRetryMs = 250
const longestRetryMs = 10_000

/**
 * Publishes the copy, waits for the broker's confirm, and only then acknowledges the original. Until then the original
 * stays unacknowledged in its queue, and its place in the prefetch stays taken: a subscription whose copies cannot be
 * stored takes on no more. `copy` is made anew for each try, for the ladder may have changed meanwhile.
 *
 * Resolves to whether the copy is stored. It is not when the delivery was lost, or the signal aborted: then the message
 * is given back.
 */
export const storeThenAcknowledge = async (
  delivery: Delivery,
  copy: () => Copy,
  { publish }: Pick<Amqp, 'publish'>,
  { unconfirmed }: SettleHooks,
  signal: AbortSignal,
): Promise<boolean> => {
  let reduce = false
  for (let retryMs = firstRetryMs; !delivery.lost; retryMs = Math.min(longestRetryMs, retryMs * 2)) {
    try {
      await publish(reduce ? reducedCopy(copy()) : copy())
      delivery.acknowledge()
      return true
    } catch (error) {
      if (!(error instanceof PublishError)) throw error
      if (error.kind === 'unencodable' && !reduce) {
        reduce = true
        continue
      }
      const jitteredMs = retryMs * (0.5 + Math.random() / 2)
      unconfirmed(error, jitteredMs)
      const waited = await delay(jitteredMs, true, { signal }).catch(() => false)
      if (!waited) break
    }
  }
  delivery.requeue()
  return false
}
