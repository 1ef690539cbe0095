import { broker as brokerKind } from '../../api/kinds/broker.ts'
import { namedBy } from '../../api/resource.ts'
import { type WorkQueue, workQueue } from '../../reconcile/work-queue.ts'
import { SecretError } from '../../store/secret-error.ts'
import type { Store } from '../../store/store.ts'
import type { Connections } from './connections.ts'

/** With the time that a probe may take, and the one before the next reconcile, a break shows within ten seconds. */
export const probeEveryMs = 3_500

/**
 * Between two reconciles a broker that works is asked whether it still answers: a break shows within ten seconds, whatever
 * resyncInterval is, and so do credentials that are refused. When something is wrong or changed `wake` is called, once until
 * the broker is added again.
 */
export const startProbes = (
  store: Pick<Store, 'get'>,
  management: Pick<Connections, 'current' | 'doubt'>,
  wake: (brokerKey: string) => void,
  signal: AbortSignal,
): WorkQueue =>
  workQueue(
    {
      async work(key) {
        const broker = store.get(brokerKind, ...namedBy(key))
        if (broker === undefined) return undefined
        try {
          const connection = await management.current(key, broker)
          await connection?.probe(signal)
          if (connection) return { againMs: probeEveryMs }
        } catch (error) {
          signal.throwIfAborted()
          // An API server that does not answer for a moment is no evidence about the broker.
          if (error instanceof SecretError && error.kind === 'unavailable') return { againMs: probeEveryMs }
          management.doubt(key)
        }
        wake(key)
        return undefined
      },
      failed: (key) => wake(key),
      random: Math.random,
    },
    signal,
  )
