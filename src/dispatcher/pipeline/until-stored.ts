import { pause } from '../../async/abort.ts'
import { type Backoff, backoffMs } from '../../async/backoff.ts'
import type { Copy } from '../../delivery/message/copy.ts'
import { reducedCopy } from '../../delivery/message/reduced-copy.ts'
import type { Amqp, Delivery } from '../../rabbit/amqp/port.ts'
import { PublishError } from '../../rabbit/amqp/publish-error.ts'

/** What the copy is of. */
type Original = Pick<Delivery, 'lost'>

type Parts<D extends Original> = {
  readonly amqp: Pick<Amqp, 'publish'>
  /** Called for each copy that is not confirmed, while its original waits. */
  waits(delivery: D, error: PublishError): void
  /** Whether this failure is the end of it: the copy is not published again. Default: never. */
  isFinal?(error: PublishError): boolean
}

const backoff: Backoff = { first: 250, most: 10_000 }

/**
 * Publishes copies until they are stored; resolves to the copy that was, or `undefined` when the delivery is lost, the
 * failure is final or the signal aborts.
 */
export const untilStored = <D extends Original>(
  { amqp, waits, isFinal = () => false }: Parts<D>,
  giveUp: AbortSignal,
) => {
  /**
   * Why the copy is not stored; `undefined` when it is. A late confirm is still owed: to publish again before it is settled
   * would be to have the copy twice. It is awaited as long as the delivery is ours.
   */
  const once = async (delivery: D, copy: Copy): Promise<PublishError | undefined> => {
    const late = await failureOf(amqp.publish(copy))
    if (late?.owed === undefined) return late
    waits(delivery, late)
    const settling = new AbortController()
    const settled = failureOf(late.owed).finally(() => settling.abort())
    const until = AbortSignal.any([giveUp, settling.signal])
    while (!delivery.lost && !until.aborted) await pause(backoff.most, until)
    return settling.signal.aborted ? settled : late
  }

  return async (delivery: D, copy: Copy): Promise<Copy | undefined> => {
    let isReduced = false
    for (let failures = 0; !delivery.lost; ) {
      const made = isReduced ? reducedCopy(copy) : copy
      const error = await once(delivery, made)
      if (error === undefined) return made
      if (error.kind === 'unencodable' && !isReduced) {
        isReduced = true
        continue
      }
      if (isFinal(error)) return undefined
      waits(delivery, error)
      failures += 1
      await pause(backoffMs(failures, backoff), giveUp)
      if (giveUp.aborted) return undefined
    }
    return undefined
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
