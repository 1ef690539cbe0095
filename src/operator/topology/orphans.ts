import { manages } from '../../api/kinds/broker.ts'
import { idOf } from '../../api/resource.ts'
import type { Management } from '../../rabbit/management/management.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import { returnTargets } from '../../topology/in-force.ts'
import { orphanQueue, returnExchange } from '../../topology/names.ts'
import type { Attached } from '../../topology/references.ts'
import type { Observed } from '../../topology/topology.ts'

/** When the orphans of a broker were last looked at, and where messages could return to then. */
export type Looked = { readonly at: number; readonly targets: string }

const lookEveryMs = 60_000

type OrphansOptions = { readonly store: Pick<Store, 'record'>; readonly log: Log }

/**
 * Puts the messages of `waybill.orphans` whose queue is there again back on their way. It looks when a queue came back, and
 * else once a minute while there are any.
 */
export const putOrphansBack = async (
  { store, log }: OrphansOptions,
  { broker }: Attached,
  observed: Observed,
  management: Management,
  before: Looked | undefined,
  signal: AbortSignal,
): Promise<Looked | undefined> => {
  const count = observed.states.get(orphanQueue)?.ready ?? 0
  if (count === 0 || !manages(broker)) return undefined
  const found = returnTargets(observed)
  const targets = JSON.stringify([...found].sort())
  const now = Date.now()
  if (before?.targets === targets && now - before.at < lookEveryMs) return before
  const moved = await management.putBack(
    { queue: orphanQueue, count, exchange: returnExchange, isWanted: (key) => found.has(key) },
    log,
    signal,
  )
  if (moved > 0) {
    log.info({ broker: idOf(broker), messages: moved }, 'Put delayed messages back whose queue is there again')
    const message = `Put ${moved} messages of ${orphanQueue} back: their queue is there again`
    store.record(broker, { type: 'Normal', reason: 'OrphansPutBack', message })
  }
  return { at: now, targets }
}
