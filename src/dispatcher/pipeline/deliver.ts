import { attemptAfter } from '../../delivery/attempt/attempt.ts'
import { toRequest } from '../../delivery/attempt/request.ts'
import { decide, decideBefore, putAside } from '../../delivery/decide.ts'
import type { CloudEvent, Unparsable } from '../../delivery/event/cloud-event.ts'
import { toEvent } from '../../delivery/event/event.ts'
import { publishedAt } from '../../delivery/event/published.ts'
import { historyOf, isPlug, isSuspect } from '../../delivery/message/history.ts'
import type { Sender } from '../../http/send.ts'
import type { Delivery } from '../../rabbit/amqp/port.ts'
import type { Span, Tracing } from '../../telemetry/tracing.ts'
import { createSettle, type Settled, type SettleOptions } from './settle.ts'
import { endAttempt, startAttempt } from './traced.ts'

export type DeliverOptions = SettleOptions & {
  readonly sender: Pick<Sender, 'send'>
  readonly tracing?: Tracing | undefined
}

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
  const { route, sender, tracing } = options
  const { terms, target, whence } = route
  const settle = createSettle(options, giveUp)

  const send = (event: CloudEvent | Unparsable, number: number, trace: Span['context'] | undefined) =>
    'unparsable' in event
      ? ({ kind: 'unsendable', message: event.unparsable } as const)
      : sender.send(toRequest(event, target, number, trace))

  const deliver: Deliver = async (delivery, tried) => {
    if (isPlug(delivery.message)) {
      delivery.acknowledge()
      return undefined
    }
    const attempt = attemptAfter(historyOf(delivery.message, whence), Date.now())
    const before = decideBefore(attempt.history, terms, attempt.begunAt, delivery.outlived)
    if (before) return settle(delivery, { attempt, outcome: undefined, decision: before, endedAt: attempt.begunAt })
    const { message } = delivery
    const event = toEvent(message, attempt.history)
    const span = tracing && startAttempt(tracing, { route, message, event, attempt })
    const outcome = await send(event, attempt.number, span?.context)
    const endedAt = Date.now()
    tried()
    const decision = decide(outcome, attempt, terms, endedAt)
    if (span) endAttempt(span, outcome, decision, endedAt)
    const published = outcome.kind === 'delivered' && !('unparsable' in event) ? publishedAt(event, message) : undefined
    const trace = span?.context.traceparent
    return settle(delivery, { attempt, outcome, decision, endedAt, published, trace })
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
