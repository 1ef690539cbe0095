import { setTimeout as delay } from 'node:timers/promises'
import type { Delivery } from '../../rabbit/amqp/port.ts'
import type { Isolation } from './isolation.ts'

export type FlowOptions = {
  readonly isolation: Isolation
  /** How long nothing happens before a suspect is tried, so that the broker has every acknowledgement before it. */
  readonly quietMs?: number
  /** Whether the message may be what ends the process, so that it is tried alone. */
  isSuspect(delivery: Delivery): boolean
  /** Processes a message; does not reject. Calls `tried` once the attempt is over: what follows is no danger. */
  process(delivery: Delivery, tried: () => void): Promise<void>
  /** Puts a suspect aside that cannot be tried now: it comes again later. */
  putAside(delivery: Delivery): Promise<void>
}

/**
 * Decides when the messages of one subscription are begun: at once, but a suspect when nothing else of the subscription is in
 * flight, and the others after it.
 */
export const createFlow = ({ isolation, isSuspect, process, putAside, quietMs = 300 }: FlowOptions) => {
  let inFlight = 0
  let isAlone = false
  let onIdle: (() => void) | undefined
  let held: Delivery[] = []

  const begin = (delivery: Delivery): void => {
    inFlight += 1
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      inFlight -= 1
      if (inFlight === 0) onIdle?.()
    }
    void process(delivery, over).then(over)
  }

  const idle = (): Promise<void> =>
    inFlight === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          onIdle = resolve
        })

  const tryAlone = async (delivery: Delivery): Promise<void> => {
    const leave = isAlone ? undefined : isolation.enter()
    if (leave === undefined) return putAside(delivery)
    isAlone = true
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      isAlone = false
      leave()
      const next = held
      held = []
      for (const each of next) take(each)
    }
    await idle()
    await delay(quietMs)
    await process(delivery, over)
    over()
  }

  const take = (delivery: Delivery): void => {
    if (isSuspect(delivery)) void tryAlone(delivery)
    else if (isAlone) held.push(delivery)
    else begin(delivery)
  }

  return take
}
