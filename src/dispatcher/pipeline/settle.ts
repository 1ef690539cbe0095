import { keyOf } from '../../api/resource.ts'
import type { Ended } from '../../delivery/attempt/attempt.ts'
import type { Decision } from '../../delivery/decide.ts'
import {
  type Copy,
  deadLetterCopy,
  type Origin,
  postponedCopy,
  retryCopy,
  suspectCopy,
} from '../../delivery/message/copy.ts'
import type { Message } from '../../delivery/message/message.ts'
import type { Amqp, Delivery } from '../../rabbit/amqp/port.ts'
import type { PublishError } from '../../rabbit/amqp/publish-error.ts'
import { rungFor } from '../../topology/delay-ladder.ts'
import { delayLevel, returnExchange } from '../../topology/names.ts'
import type { Route } from './route.ts'
import { untilStored } from './until-stored.ts'

export type SettleOptions = {
  readonly route: Route
  readonly amqp: Pick<Amqp, 'publish'>
  /** Called for each copy that is not confirmed, while its original waits; with `undefined` once no original waits. */
  blocked(error: PublishError | undefined): void
  /** The subscriber is gone for good: nothing more is to be taken. Resolves once the broker sends no more. */
  suspend(): Promise<void>
}

/** A message that was decided upon. */
export type Decided = Ended & {
  readonly decision: Decision
  /** When the event was published, in ms since 1970, where it was delivered and says so. */
  readonly published?: number | undefined
}

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

export const createSettle = ({ route, amqp, blocked, suspend }: SettleOptions, giveUp: AbortSignal): Settle => {
  const origin: Origin = { subscription: keyOf(route.subscription), queue: route.queue }
  const returning: Origin = { ...origin, queue: route.retryQueue }
  const waiting = new Set<Delivery>()

  const waits = (delivery: Delivery, error: PublishError): void => {
    waiting.add(delivery)
    blocked(error)
  }

  const publish = untilStored({ amqp, waits }, giveUp)

  /**
   * Back to its queue, as if it had not been tried. The broker counts that as a failed delivery, so a suspect goes back as a
   * copy: what counts against it is that it came back by itself.
   */
  const putBack = async (delivery: Delivery, decided: Decided): Promise<void> => {
    const { deaths } = decided.attempt.history
    const copy = suspectCopy(delivery.message, returning, decided, deaths ?? 0, returnExchange)
    if (deaths !== undefined && (await publish(delivery, copy))) delivery.acknowledge()
    else delivery.requeue()
  }

  const store = async (delivery: Delivery, decided: Decided, copy: Copy): Promise<Settled | undefined> => {
    const stored = await publish(delivery, copy)
    if (stored) delivery.acknowledge()
    else await putBack(delivery, decided)
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
        return store(delivery, decided, retryOf(message, returning, decided, decision))
      case 'postpone':
        return store(delivery, decided, postponedCopy(message, returning, levelOf(decision)))
      case 'dead-letter':
        return store(delivery, decided, deadLetterCopy(message, origin, decided, decision, route.deadLetterQueue))
      case 'isolate': {
        const { deaths, delayMs } = decision
        const exchange = delayMs === 0 ? returnExchange : delayLevel(rungFor(delayMs))
        return store(delivery, decided, suspectCopy(message, returning, decided, deaths, exchange))
      }
      case 'suspend':
        // Requeued before the consumer is cancelled, it would come again at once.
        return suspend()
          .then(() => putBack(delivery, decided))
          .then(() => decided)
      case 'requeue':
        return putBack(delivery, decided).then(() => decided)
    }
  }
}

const levelOf = ({ delayMs, wholeMs }: Decision & { readonly do: 'postpone' }): string =>
  delayLevel(rungFor(delayMs, wholeMs))

/** A wait that one rung ends needs no time written on it; the clocks of two dispatchers may differ. */
const retryOf = (
  message: Message,
  origin: Origin,
  decided: Decided,
  decision: Decision & { readonly do: 'retry' },
): Copy => {
  const rung = rungFor(decision.delayMs)
  const ends = rung >= decision.delayMs
  const due = ends ? decision : { ...decision, notBefore: decided.endedAt + decision.delayMs }
  return retryCopy(message, origin, decided, due, delayLevel(rung))
}
