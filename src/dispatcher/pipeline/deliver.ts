import { durationText } from '../../api/duration.ts'
import { keyOf } from '../../api/resource.ts'
import type { Outcome } from '../../delivery/attempt/outcome.ts'
import { toRequest } from '../../delivery/attempt/request.ts'
import { type Decision, decide, refuse } from '../../delivery/decide.ts'
import { toEvent } from '../../delivery/event/event.ts'
import { type Copy, deadLetterCopy, type Origin, postponedCopy, retryCopy } from '../../delivery/message/copy.ts'
import { type History, historyOf, tooEarly } from '../../delivery/message/history.ts'
import type { Sender } from '../../http/send.ts'
import type { Amqp, Delivery } from '../../rabbit/amqp/port.ts'
import type { PublishError } from '../../rabbit/amqp/publish-error.ts'
import { levelFor } from '../../topology/delay-ladder.ts'
import { delayLevel, returnExchange } from '../../topology/names.ts'
import type { Route } from './route.ts'
import { storeThenAcknowledge } from './settle.ts'

export type DeliverOptions = {
  readonly route: Route
  readonly amqp: Pick<Amqp, 'publish'>
  readonly sender: Pick<Sender, 'send'>
  /** The delays there are, ascending, in ms, as of now. */
  levels(): readonly number[]
  /** One attempt, begun and ended at these times (ms since 1970), was made and its message settled. */
  settled(outcome: Outcome, decision: Decision, history: History, begun: number, ended: number): void
  /** The subscriber is gone for good: this is called before its message is given back. */
  gone(): void
  /** A retry was put into a level. */
  delayed(level: string): void
  /** Copies that are not confirmed hold their originals back; `undefined` when none is left. */
  blocked(error: PublishError | undefined): void
}

/** Delivers the messages of one subscription: message → event → request → outcome → decision → settled. */
export const createDeliver = (options: DeliverOptions, giveUp: AbortSignal) => {
  const { route, amqp, sender, levels, settled, gone, delayed, blocked } = options
  const { terms, target } = route
  const origin: Origin = { subscription: keyOf(route.subscription), queue: route.queue }
  const held = new Set<Delivery>()

  const store = async (delivery: Delivery, copy: () => Copy): Promise<boolean> => {
    const unconfirmed = (error: PublishError) => {
      held.add(delivery)
      blocked(error)
    }
    const stored = await storeThenAcknowledge(delivery, copy, amqp, { unconfirmed }, giveUp)
    if (held.delete(delivery) && held.size === 0) blocked(undefined)
    return stored
  }

  const levelOf = (delayMs: number): number => levelFor(levels(), delayMs)

  const attempt = (delivery: Delivery, history: History): Promise<Outcome> | Outcome => {
    const event = toEvent(delivery.message, history)
    if ('unparsable' in event) return { kind: 'unsendable', message: event.unparsable }
    return sender.send(toRequest(event, target, history.attempts + 1))
  }

  const settle = async (delivery: Delivery, history: History, outcome: Outcome, decision: Decision, now: number) => {
    const { message } = delivery
    switch (decision.do) {
      case 'acknowledge':
        delivery.acknowledge()
        return true
      case 'retry': {
        const level = levelOf(decision.delayMs)
        delayed(durationText(level))
        return store(delivery, () =>
          retryCopy(message, origin, history, outcome, decision, delayLevel(levelOf(decision.delayMs)), now),
        )
      }
      case 'dead-letter':
        return store(delivery, () =>
          deadLetterCopy(message, origin, history, outcome, decision, route.deadLetterQueue, now),
        )
      case 'requeue':
        if (decision.reason === 'Gone') gone()
        delivery.requeue()
        return true
    }
  }

  /** Never rejects for anything that a message or a subscriber does. */
  return async (delivery: Delivery): Promise<void> => {
    const begun = Date.now()
    const history = historyOf(delivery.message, returnExchange)
    const remainingMs = tooEarly(history, terms, begun)
    if (remainingMs !== undefined) {
      await store(delivery, () => postponedCopy(delivery.message, origin, delayLevel(levelOf(remainingMs))))
      return
    }
    const refused = refuse(history)
    const outcome: Outcome = refused
      ? { kind: 'unsendable', message: refused.message }
      : await attempt(delivery, history)
    const now = Date.now()
    const decision = refused ?? decide(outcome, history, terms, now)
    if (await settle(delivery, history, outcome, decision, now)) settled(outcome, decision, history, begun, now)
  }
}
