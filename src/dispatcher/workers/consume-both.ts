import { unlessAborted } from '../../async/abort.ts'
import type { Amqp, ConsumeOptions, Consumer, ConsumerState, Delivery } from '../../rabbit/amqp/port.ts'

export type ConsumeBothOptions = Pick<ConsumeOptions, 'onDelivery' | 'onState'> & {
  /** The queue that a subscription delivers from, and the one that its retries come back to. */
  readonly queues: readonly string[]
  /** Most messages handed out and not settled at a time, of all queues together. */
  readonly concurrency: number
}

/** `held` is what is handed out and not settled. */
export type ConsumerOfBoth = Pick<Consumer, 'cancel' | 'stop'> & { readonly held: ReadonlySet<Delivery> }

/**
 * Consumes several queues as if they were one. Each consumer may hold as many messages as are handed out at a time; those that
 * find no place wait here, in the order in which they came, so that neither queue keeps the other one waiting.
 */
export const consumeBoth = (
  amqp: Pick<Amqp, 'consume'>,
  { queues, concurrency, onDelivery, onState }: ConsumeBothOptions,
): ConsumerOfBoth => {
  const waiting: Delivery[] = []
  const held = new Set<Delivery>()
  let isStopped = false

  const handOut = (delivery: Delivery): void => {
    const counted = new Counted(delivery, settled)
    held.add(counted)
    onDelivery(counted)
  }

  const settled = (delivery: Delivery): void => {
    held.delete(delivery)
    while (held.size < concurrency) {
      const next = waiting.shift()
      if (next === undefined) return
      // The broker hands it out again: nobody has worked on it.
      if (next.lost) next.requeue()
      else handOut(next)
    }
  }

  const arrived = (delivery: Delivery): void => {
    if (isStopped) delivery.requeue()
    else if (held.size < concurrency) handOut(delivery)
    else waiting.push(delivery)
  }

  const states = new Map<string, ConsumerState>()
  const consumers = queues.map((queue) =>
    amqp.consume({
      ...{ queue, prefetch: concurrency, onDelivery: arrived },
      onState(state) {
        states.set(queue, state)
        if (queues.every((name) => states.has(name))) onState(asOne([...states.values()], state))
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
    held,
    cancel,
    async stop(signal) {
      const cancelled = cancel()
      await Promise.all(consumers.map((consumer) => consumer.stop(signal)))
      await unlessAborted(cancelled, signal)
    },
  }
}

/** What is wrong with one of them is wrong with all. */
const asOne = (all: readonly ConsumerState[], latest: ConsumerState): ConsumerState => {
  const { unreadable } = all.find((one) => one.unreadable) ?? latest
  return { ...(all.find((one) => one.is !== 'consuming') ?? latest), unreadable }
}

/**
 * The delivery, which tells when it is settled. A class, for the getter: one in an object literal makes a hidden class of each
 * object, and V8 keeps those, with all that they refer to, until it collects everything.
 */
class Counted implements Delivery {
  readonly message: Delivery['message']
  readonly outlived: boolean
  readonly #delivery: Delivery
  readonly #settled: (delivery: Delivery) => void

  constructor(delivery: Delivery, settled: (delivery: Delivery) => void) {
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
    this.#settled(this)
  }

  requeue(): void {
    this.#delivery.requeue()
    this.#settled(this)
  }
}
