import { unlessAborted } from '../../async/abort.ts'
import type { Amqp, ConsumeOptions, Consumer, ConsumerState, Delivery } from '../../rabbit/amqp/port.ts'

export type ConsumeBothOptions = Pick<ConsumeOptions, 'onDelivery' | 'onState'> & {
  /** The queue that a subscription delivers from, and the one that its retries come back to. */
  readonly queues: readonly string[]
  /** Most messages handed out and not settled at a time, of all queues together. */
  readonly concurrency: number
}

/**
 * Consumes several queues as if they were one. Each consumer may hold as many messages as are handed out at a time; those that
 * find no place wait here, in the order in which they came, so that neither queue keeps the other one waiting.
 */
export const consumeBoth = (
  amqp: Pick<Amqp, 'consume'>,
  { queues, concurrency, onDelivery, onState }: ConsumeBothOptions,
): Pick<Consumer, 'cancel' | 'stop'> => {
  const waiting: Delivery[] = []
  let inHand = 0
  let isStopped = false

  const handOut = (delivery: Delivery): void => {
    inHand += 1
    onDelivery(new Counted(delivery, settled))
  }

  const settled = (): void => {
    inHand -= 1
    while (inHand < concurrency) {
      const next = waiting.shift()
      if (next === undefined) return
      // The broker hands it out again: nobody has worked on it.
      if (next.lost) next.requeue()
      else handOut(next)
    }
  }

  const states = new Map<string, ConsumerState>()
  const consumers = queues.map((queue) =>
    amqp.consume({
      queue,
      prefetch: concurrency,
      onDelivery(delivery) {
        if (isStopped) delivery.requeue()
        else if (inHand < concurrency) handOut(delivery)
        else waiting.push(delivery)
      },
      onState(state) {
        states.set(queue, state)
        const all = queues.map((name) => states.get(name))
        if (all.includes(undefined)) return
        const { unreadable } = all.find((one) => one?.unreadable) ?? state
        onState({ ...(all.find((one) => one?.is !== 'consuming') ?? state), unreadable })
      },
    }),
  )

  const cancel = async (): Promise<void> => {
    isStopped = true
    await Promise.all(consumers.map((consumer) => consumer.cancel()))
    // Requeued before, they would come again at once.
    for (const delivery of waiting.splice(0)) delivery.requeue()
  }

  return {
    cancel,
    async stop(signal) {
      const cancelled = cancel()
      await Promise.all(consumers.map((consumer) => consumer.stop(signal)))
      await unlessAborted(cancelled, signal)
    },
  }
}

/**
 * The delivery, which tells when it is settled. A class, for the getter: one in an object literal makes a hidden class of each
 * object, and V8 keeps those, with all that they refer to, until it collects everything.
 */
class Counted implements Delivery {
  readonly message: Delivery['message']
  readonly outlived: boolean
  readonly #delivery: Delivery
  readonly #settled: () => void

  constructor(delivery: Delivery, settled: () => void) {
    this.message = delivery.message
    this.outlived = delivery.outlived
    this.#delivery = delivery
    this.#settled = settled
  }

  get lost(): boolean {
    return this.#delivery.lost
  }

  acknowledge(): void {
    this.#delivery.acknowledge()
    this.#settled()
  }

  requeue(): void {
    this.#delivery.requeue()
    this.#settled()
  }
}
