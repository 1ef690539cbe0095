import type { AmqpLog, ConsumeOptions, Delivery } from '../port.ts'
import type { Holding } from './acknowledgements.ts'

/** A delivery that remembers whether it was handed out. */
export type HandedOut = Delivery & { isHandedOut: boolean }

export type HandOutOptions = Pick<ConsumeOptions, 'queue' | 'prefetch' | 'onDelivery'> & {
  readonly holding: Holding
  readonly log: AmqpLog
  isPaused(): boolean
}

/**
 * Hands the messages of one consumer out, in order. What arrives during a pause is kept, and so is what arrives while
 * `prefetch` messages are handed out: after a pause the broker does not count those from before. To requeue them instead
 * would count as failed deliveries.
 */
export const handOut = (options: HandOutOptions, stopped: AbortSignal) => {
  const { queue, prefetch, onDelivery, holding, isPaused, log } = options
  let kept: HandedOut[] = []
  let isOver = false

  const give = (delivery: HandedOut): void => {
    try {
      delivery.isHandedOut = true
      onDelivery(delivery)
    } catch (error) {
      delivery.isHandedOut = false
      // It stays unsettled, so that nothing is lost; the broker redelivers it when the channel ends.
      log.error({ queue, error }, 'Could not process a message; it is redelivered when its channel closes')
    }
  }

  /** Hands out as much of what was kept as there is room for. */
  const more = (): void => {
    if (stopped.aborted) return
    kept = kept.filter(({ lost }) => !lost)
    while (kept.length > 0 && !isPaused() && holding.open - kept.length < prefetch) give(kept.shift() as HandedOut)
    holding.onLetGo = kept.length > 0 ? more : undefined
  }

  return {
    take(delivery: HandedOut): void {
      if (isOver) {
        delivery.requeue()
      } else if (!stopped.aborted && kept.length === 0 && !isPaused() && holding.open <= prefetch) {
        give(delivery)
      } else {
        kept.push(delivery)
        holding.onLetGo = more
      }
    },
    more,
    requeueKept(): void {
      isOver = true
      holding.onLetGo = undefined
      for (const delivery of kept.splice(0)) delivery.requeue()
    },
  }
}
