import { isDeepStrictEqual } from 'node:util'
import { subscription as kind } from '../../api/kinds/subscription.ts'
import type { AddressGuard } from '../../http/address-guard.ts'
import type { Credentials } from '../../http/credentials.ts'
import { blockedHost } from '../../http/interceptors/guard.ts'
import { createSender } from '../../http/send.ts'
import type { BytesInHand } from '../../rabbit/amqp/deliveries/bytes-in-hand.ts'
import type { Amqp } from '../../rabbit/amqp/port.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Tracing } from '../../telemetry/tracing.ts'
import type { Route } from '../pipeline/route.ts'
import { credentialsOf, TargetError } from './credentials.ts'
import type { Isolation } from './isolation.ts'
import type { SubscriptionObserver } from './observer.ts'
import type { Secrets } from './secrets.ts'
import { startWorker, type Worker } from './worker.ts'

export type WorkersOptions = {
  readonly store: Pick<Store, 'get'>
  readonly log: Log
  readonly metrics: Metrics
  readonly tracing?: Tracing | undefined
  readonly guard: AddressGuard
  readonly drainTimeoutMs: number
  readonly observer: SubscriptionObserver
  /** Where suspects are tried; one for the whole process. */
  readonly isolation: Isolation
  /** What all workers of this process have in hand. */
  readonly inHand: BytesInHand
}

type Running = { readonly worker: Worker; readonly credentials: Credentials }

/** The workers on one broker's connections: one for each subscription, and those that still end. */
export const createWorkers = (amqp: Amqp, options: WorkersOptions) => {
  const { store, metrics, guard, observer } = options
  const running = new Map<string, Running>()
  const ending = new Set<Promise<void>>()

  const start = (route: Route, credentials: Credentials): void => {
    const { timeoutMs, concurrency } = route.terms
    const sender = createSender(route.target, { timeoutMs, concurrency, guard, credentials })
    let worker: Worker | undefined
    // It may be called before `startWorker` returns, and while the worker ends after another has taken its place.
    const changed = () => worker && running.get(route.id)?.worker === worker && observer.changed(worker)
    worker = startWorker({ ...options, amqp, route, sender, stats: observer.statsOf(route.subscription), changed })
    running.set(route.id, { worker, credentials })
    observer.changed(worker)
  }

  const end = async ({ route, stop }: Worker): Promise<void> => {
    await stop()
    const { namespace, name } = route.subscription.metadata
    // Its last messages may have been counted after the subscription was deleted.
    if (store.get(kind, namespace, name) === undefined) await metrics.forgetSubscription(namespace, name)
  }

  const endLater = (worker: Worker): void => {
    const ended = end(worker).finally(() => ending.delete(ended))
    ending.add(ended)
  }

  return {
    has: (id: string): boolean => running.has(id),
    ids: (): string[] => [...running.keys()],
    /** Starts a worker for the route, in place of one that delivers otherwise. @throws TargetError, SecretError */
    async fit(route: Route, secrets: Secrets): Promise<void> {
      const before = running.get(route.id)
      refuseBlocked(guard, route)
      const credentials = await credentialsOf(route.subscription, secrets)
      if (before && isSame(before, route, credentials)) return
      start(route, credentials)
      if (before) endLater(before.worker)
    },
    /** Stops the worker with this id and reports on its subscription no more. */
    stop(id: string): void {
      const worker = running.get(id)?.worker
      if (worker === undefined) return
      running.delete(id)
      endLater(worker)
      observer.dropped(worker.route.subscription)
    },
    /** Reports on none of the subscriptions any more. */
    drop(): void {
      for (const { worker } of running.values()) observer.dropped(worker.route.subscription)
    },
    /** Ends all workers; `silently` without reporting on what they still do. */
    async close(silently: boolean): Promise<void> {
      for (const { worker } of running.values()) endLater(worker)
      if (silently) running.clear()
      await Promise.all(ending)
    },
  }
}

const isSame = (before: Running, route: Route, credentials: Credentials): boolean =>
  before.worker.route.key === route.key && isDeepStrictEqual(before.credentials, credentials)

/** @throws TargetError */
export const refuseBlocked = (guard: AddressGuard, { target }: Pick<Route, 'target'>): void => {
  const host = blockedHost(guard, target.origin)
  if (host === undefined) return
  const why = 'is an address that nothing is sent to: one of this machine, or where clouds hand out credentials'
  throw new TargetError(`spec.subscriber.url: ${host} ${why}`)
}
