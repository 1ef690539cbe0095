import { setTimeout as delay } from 'node:timers/promises'
import type { Polling } from './replicas/poll.ts'
import type { Replicas } from './replicas/replicas.ts'
import type { Observations } from './status/observations.ts'

export type LeaveOptions = {
  readonly local: Observations
  readonly replicas: Replicas
  readonly polling: Polling | undefined
}

/** How long the other replicas, which poll every second, may take to fetch the last counts. */
const lingerMs = 5_000

/** Waits until the other replicas have the last counts of this one, which has ended its work, or for 5 s. */
export const announceLeave = async ({ local, replicas, polling }: LeaveOptions): Promise<void> => {
  // A replica that has only just started is among those that need the counts.
  await polling?.again()
  const end = performance.now() + lingerMs
  while (!replicas.allAcknowledged(local.version()) && performance.now() < end) await delay(50)
}
