import { setTimeout as delay } from 'node:timers/promises'

/** Does the work again and again, with a pause before each time, until the signal. Rejects with an error of the work. */
export const repeat = async (everyMs: number, work: () => void | Promise<void>, signal: AbortSignal): Promise<void> => {
  while (await delay(everyMs, true, { signal }).catch(() => false)) await work()
}
