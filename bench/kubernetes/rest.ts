import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerCalls } from './broker-calls.ts'
import type { Cluster } from './cluster.ts'
import { difference } from './writes.ts'

/** What was written while Waybill had no work. */
export type Rest = {
  /** How long it took until writes stopped. */
  readonly settledSeconds: number
  readonly seconds: number
  /** Writes to Kubernetes, by resource; renewals of leases are left out. */
  readonly writes: ReadonlyMap<string, number>
  /** Calls that change something on the broker. */
  readonly changes: readonly string[]
}

/** Events are sent in the background; without a write for so long, all of them have been sent. */
const quietMs = 5_000
const settleWithinMs = 120_000

/** Waits until writes stop, then counts the writes of the next `restMs`. */
export const rest = async (
  { writes }: Cluster,
  { changes }: BrokerCalls,
  restMs: number,
  signal: AbortSignal,
): Promise<Rest> => {
  const begunMs = performance.now()
  let before = await writes()
  for (let quiet = false; !quiet && performance.now() - begunMs < settleWithinMs; ) {
    await delay(quietMs, undefined, { signal })
    const now = await writes()
    quiet = difference(before, now).size === 0
    before = now
  }
  const settledSeconds = (performance.now() - begunMs - quietMs) / 1000
  const changesBefore = changes().length
  await delay(restMs, undefined, { signal })
  return {
    settledSeconds,
    seconds: restMs / 1000,
    writes: difference(before, await writes()),
    changes: changes().slice(changesBefore),
  }
}
