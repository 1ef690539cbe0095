import type { LookupFunction } from 'node:net'
import { kinds } from '../api/kinds/kinds.ts'
import { queue } from '../api/kinds/queue.ts'
import { subscription } from '../api/kinds/subscription.ts'
import { topic } from '../api/kinds/topic.ts'
import { idFrom } from '../api/resource.ts'
import { onGone } from '../reconcile/on-gone.ts'
import { type Running, runControllers } from '../reconcile/run.ts'
import { statusWriter } from '../reconcile/status-writer.ts'
import type { Presence } from '../store/leadership.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import { dispatchersController } from './dispatchers/controller.ts'
import { referencesController } from './references/controller.ts'
import { topologyController } from './topology/controller.ts'
import { createWorld } from './world/world.ts'

export type OperatorOptions = {
  readonly store: Store
  /** Marks what this installation declares; two installations on one virtual host need two names. */
  readonly instance: string
  readonly log: Log
  readonly metrics: Metrics
  readonly tracing?: Tracing | undefined
  /** Resolves the names of brokers; the system when left out. */
  readonly lookup?: LookupFunction
  /** Whether there are dispatchers; left out where one runs in the same process. */
  readonly dispatchers?: Presence
  /** Called right before anything is sent that changes a broker; throws when another process leads, and nothing is sent then. */
  readonly fence?: () => void
}

/** Keeps RabbitMQ equal to the resources until the signal aborts. */
export const startOperator = (options: OperatorOptions, signal: AbortSignal): Running => {
  const { store, instance, log, metrics, tracing, lookup, fence, dispatchers } = options
  const world = createWorld(store)
  const statuses = statusWriter(store, metrics, 'waybill-operator', () => new Date())
  const stopForgetting = kinds.map((kind) =>
    onGone(store, kind, (namespace, name) => {
      statuses.forget(idFrom(kind.kind, namespace, name))
      if (kind.kind === subscription.kind) void metrics.forgetSubscription(namespace, name)
      if (kind.kind === queue.kind) metrics.forgetQueue(namespace, name)
      if (kind.kind === topic.kind) metrics.unroutedMessages.remove(namespace, name)
    }),
  )
  const controllers = [
    topologyController({ store, world, instance, statuses, log, metrics, lookup, fence }),
    referencesController({ store, world, statuses }),
    ...(dispatchers ? [dispatchersController({ store, world, metrics, dispatchers })] : []),
  ]
  const { ready, done } = runControllers(controllers, { log, metrics, tracing, fence }, signal)
  return {
    ready,
    done: done.finally(() => {
      for (const stop of stopForgetting) stop()
      world.close()
    }),
  }
}
