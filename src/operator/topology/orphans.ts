import { manages } from '../../api/kinds/broker.ts'
import { idOf } from '../../api/resource.ts'
import type { Management } from '../../rabbit/management/management.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import { returnTargets } from '../../topology/health/in-force.ts'
import { orphanQueue, returnExchange } from '../../topology/names.ts'
import type { Attached } from '../../topology/references.ts'
import type { Observed } from '../../topology/topology.ts'

/** When the orphans of a broker were last looked at, and where messages could return to then. */
type Looked = { readonly at: number; readonly targets: string }

const lookEveryMs = 60_000

type OrphansOptions = { readonly store: Pick<Store, 'record'>; readonly log: Log }

/** Remembers of each broker when its orphans were looked at. */
export const orphanage = ({ store, log }: OrphansOptions) => {
  const looked = new Map<string, Looked>()

  return {
    /**
     * Puts the messages of `waybill.orphans` whose queue is there again back on their way. It looks when a queue came back, and
     * else once a minute while there are any.
     */
    async putBack(
      key: string,
      { broker }: Attached,
      observed: Observed,
      management: Pick<Management, 'putBack'>,
      signal: AbortSignal,
    ): Promise<void> {
      const count = observed.states.get(orphanQueue)?.ready ?? 0
      if (count === 0 || !manages(broker)) return void looked.delete(key)
      const found = returnTargets(observed)
      const [at, targets] = [Date.now(), JSON.stringify([...found].sort())]
      const before = looked.get(key)
      if (before?.targets === targets && at - before.at < lookEveryMs) return
      looked.set(key, { at, targets })
      const what = { queue: orphanQueue, count, exchange: returnExchange, isWanted: (to: string) => found.has(to) }
      const moved = await management.putBack(what, log, signal)
      if (moved === 0) return
      log.info({ broker: idOf(broker), messages: moved }, 'Put delayed messages back whose queue is there again')
      const message = `Put ${moved} messages of ${orphanQueue} back: their queue is there again`
      store.record(broker, { type: 'Normal', reason: 'OrphansPutBack', message })
    },
    forget: (key: string): void => void looked.delete(key),
  }
}
