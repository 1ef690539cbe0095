import { type Attempt, attemptAfter } from '../../delivery/attempt/attempt.ts'
import type { Outcome } from '../../delivery/attempt/outcome.ts'
import { toRequest } from '../../delivery/attempt/request.ts'
import { decide, decideBefore, putAside } from '../../delivery/decide.ts'
import { toEvent } from '../../delivery/event/event.ts'
import { publishedAt } from '../../delivery/event/published.ts'
import { historyOf, isPlug, isSuspect } from '../../delivery/message/history.ts'
import type { Sender } from '../../http/send.ts'
import type { Delivery } from '../../rabbit/amqp/port.ts'
import { createSettle, type Settled, type SettleOptions } from './settle.ts'

export type DeliverOptions = SettleOptions & { readonly sender: Pick<Sender, 'send'> }

/**
 * Delivers one message and returns what became of it, or `undefined` where that is still open: the message is back in its
 * queue. Never rejects for anything that a message or a subscriber does.
 * `tried` is called when the attempt is over, and only the decision is to be carried out.
 */
export type Deliver = (delivery: Delivery, tried: () => void) => Promise<Settled | undefined>

/** The pipeline, and what it knows of suspects: messages that are tried alone. */
export type Pipeline = {
  readonly deliver: Deliver
  isSuspect(delivery: Delivery): boolean
  /** Puts a suspect aside that cannot be tried now. */
  putAside(delivery: Delivery): Promise<Settled | undefined>
}

/** The pipeline of one subscription: message → event → request → outcome → decision → settled. */
export const createDeliver = (options: DeliverOptions, giveUp: AbortSignal): Pipeline => {
  const { terms, target, whence } = options.route
  const { sender } = options
  const settle = createSettle(options, giveUp)

  const send = (event: ReturnType<typeof toEvent>, { number }: Attempt): Promise<Outcome> | Outcome => {
    if ('unparsable' in event) return { kind: 'unsendable', message: event.unparsable }
    return sender.send(toRequest(event, target, number))
  }

  const deliver: Deliver = async (delivery, tried) => {
    if (isPlug(delivery.message)) {
      delivery.acknowledge()
      return undefined
    }
    const attempt = attemptAfter(historyOf(delivery.message, whence), Date.now())
    const before = decideBefore(attempt.history, terms, attempt.begunAt, delivery.outlived)
    if (before) return settle(delivery, { attempt, outcome: undefined, decision: before, endedAt: attempt.begunAt })
    const event = toEvent(delivery.message, attempt.history)
    const outcome = await send(event, attempt)
    const endedAt = Date.now()
    tried()
    const published =
      outcome.kind === 'delivered' && !('unparsable' in event) ? publishedAt(event, delivery.message) : undefined
    return settle(delivery, {
      attempt,
      outcome,
      decision: decide(outcome, attempt, terms, endedAt),
      endedAt,
      published,
    })
  }

  return {
    deliver,
    isSuspect: ({ message }) => isSuspect(message, whence),
    async putAside(delivery) {
      const attempt = attemptAfter(historyOf(delivery.message, whence), Date.now())
      const decision = putAside(attempt.history, delivery.outlived)
      return settle(delivery, { attempt, outcome: undefined, decision, endedAt: attempt.begunAt })
    },
  }
}
