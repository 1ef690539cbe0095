import { keyOf } from '../../api/resource.ts'
import type { Ended } from '../../delivery/attempt/attempt.ts'
import type { Decision } from '../../delivery/decide.ts'
import { type Copy, deadLetterCopy, type Origin, postponedCopy, retryCopy } from '../../delivery/message/copy.ts'
import type { Amqp, Delivery } from '../../rabbit/amqp/port.ts'
import type { PublishError } from '../../rabbit/amqp/publish-error.ts'
import { levelFor } from '../../topology/delay-ladder.ts'
import { delayLevel } from '../../topology/names.ts'
import type { Route } from './route.ts'
import { untilStored } from './until-stored.ts'

export type SettleOptions = {
  readonly route: Route
  readonly amqp: Pick<Amqp, 'publish'>
  /** The delays of the broker's ladder as of now, ascending, in ms. */
  levels(): readonly number[]
  /** Called for each copy that is not confirmed, while its original waits; with `undefined` once no original waits. */
  blocked(error: PublishError | undefined): void
}

/** A message that was decided upon. */
export type Decided = Ended & { readonly decision: Decision }

/** What became of a message: `stored` is the copy that the broker confirmed, where the decision needed one. */
export type Settled = Decided & { readonly stored?: Copy }

/**
 * Carries out a decision: acknowledges the message, requeues it, or publishes its copy, waits for the broker's confirm and
 * only then acknowledges. Until then the original stays unacknowledged in its queue and keeps its place in the prefetch, so
 * a subscription whose copies cannot be stored takes no more messages.
 *
 * `undefined` when no copy was stored because the delivery was lost or the signal aborted: the message is back in its queue.
 */
export type Settle = (delivery: Delivery, decided: Decided) => Settled | Promise<Settled | undefined>

export const createSettle = ({ route, amqp, levels, blocked }: SettleOptions, giveUp: AbortSignal): Settle => {
  const origin: Origin = { subscription: keyOf(route.subscription), queue: route.queue }
  const waiting = new Set<Delivery>()

  const levelOf = (delayMs: number): string => delayLevel(levelFor(levels(), delayMs))

  const waits = (delivery: Delivery, error: PublishError): void => {
    waiting.add(delivery)
    blocked(error)
  }

  const publish = untilStored({ amqp, waits }, giveUp)

  const store = async (delivery: Delivery, decided: Decided, copy: () => Copy): Promise<Settled | undefined> => {
    const stored = await publish(delivery, copy)
    if (stored) delivery.acknowledge()
    else delivery.requeue()
    if (waiting.delete(delivery) && waiting.size === 0) blocked(undefined)
    return stored && { ...decided, stored }
  }

  return (delivery, decided) => {
    const { message } = delivery
    const { decision } = decided
    switch (decision.do) {
      case 'acknowledge':
        delivery.acknowledge()
        return decided
      case 'retry':
        return store(delivery, decided, () => retryCopy(message, origin, decided, decision, levelOf(decision.delayMs)))
      case 'postpone':
        return store(delivery, decided, () => postponedCopy(message, origin, levelOf(decision.delayMs)))
      case 'dead-letter':
        return store(delivery, decided, () => deadLetterCopy(message, origin, decided, decision, route.deadLetterQueue))
      case 'suspend':
      case 'requeue':
        delivery.requeue()
        return decided
    }
  }
}
