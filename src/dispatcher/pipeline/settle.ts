import { keyOf } from '../../api/resource.ts'
import { pause } from '../../async/abort.ts'
import { type Backoff, backoffMs } from '../../async/backoff.ts'
import type { Ended } from '../../delivery/attempt/attempt.ts'
import type { Decision } from '../../delivery/decide.ts'
import { type Copy, deadLetterCopy, type Origin, postponedCopy, retryCopy } from '../../delivery/message/copy.ts'
import { reducedCopy } from '../../delivery/message/reduced-copy.ts'
import type { Amqp, Delivery } from '../../rabbit/amqp/port.ts'
import { PublishError } from '../../rabbit/amqp/publish-error.ts'
import { levelFor } from '../../topology/delay-ladder.ts'
import { delayLevel } from '../../topology/names.ts'
import type { Route } from './route.ts'

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

const backoff: Backoff = { first: 250, most: 10_000 }

export const createSettle = ({ route, amqp, levels, blocked }: SettleOptions, giveUp: AbortSignal): Settle => {
  const origin: Origin = { subscription: keyOf(route.subscription), queue: route.queue }
  const waiting = new Set<Delivery>()

  const levelOf = (delayMs: number): string => delayLevel(levelFor(levels(), delayMs))

  const waits = (delivery: Delivery, error: PublishError): void => {
    waiting.add(delivery)
    blocked(error)
  }

  /**
   * Why the copy is not stored; `undefined` when it is. A late confirm is still owed: to publish again before it is settled
   * would be to have the copy twice. It is awaited as long as the delivery is ours.
   */
  const once = async (delivery: Delivery, copy: Copy): Promise<PublishError | undefined> => {
    const late = await failureOf(amqp.publish(copy))
    if (late?.owed === undefined) return late
    waits(delivery, late)
    const settled = failureOf(late.owed).then((failure) => ({ failure }))
    while (!delivery.lost && !giveUp.aborted) {
      const now = await Promise.race([settled, pause(backoff.most, giveUp)])
      if (now) return now.failure
    }
    return late
  }

  /** `copy` is called again for each try: the ladder may have changed meanwhile. */
  const publish = async (delivery: Delivery, copy: () => Copy): Promise<Copy | undefined> => {
    let isReduced = false
    for (let failures = 0; !delivery.lost; ) {
      const made = isReduced ? reducedCopy(copy()) : copy()
      const error = await once(delivery, made)
      if (error === undefined) return made
      if (error.kind === 'unencodable' && !isReduced) {
        isReduced = true
        continue
      }
      waits(delivery, error)
      failures += 1
      await pause(backoffMs(failures, backoff), giveUp)
      if (giveUp.aborted) return undefined
    }
    return undefined
  }

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

const failureOf = (published: Promise<void>): Promise<PublishError | undefined> =>
  published.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof PublishError) return error
      throw error
    },
  )
