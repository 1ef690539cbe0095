import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerCalls } from './broker-calls.ts'
import type { Cluster } from './cluster.ts'
import { difference } from './writes.ts'

/** What was done although there was nothing to do. */
export type Rest = {
  /** How long it took until nothing was written any more. */
  readonly settledSeconds: number
  readonly seconds: number
  /** Writes to Kubernetes, by resource; renewals of leases are left out. */
  readonly writes: ReadonlyMap<string, number>
  /** Calls that change something on the broker. */
  readonly changes: readonly string[]
}

/** Events of what happened before are told in the background; nothing for so long means that all was said. */
const quietMs = 5_000
const settleWithinMs = 120_000

/** Waits until all is quiet, then counts for `restMs` what is written all the same. */
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
