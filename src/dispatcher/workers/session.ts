import { isDeepStrictEqual } from 'node:util'
import { subscription as kind } from '../../api/kinds/subscription.ts'
import type { AddressGuard } from '../../http/address-guard.ts'
import type { Credentials } from '../../http/credentials.ts'
import { createSender } from '../../http/send.ts'
import { connectAmqp } from '../../rabbit/amqp/connect.ts'
import type { Endpoint } from '../../rabbit/endpoint.ts'
import { SecretError } from '../../store/secret-error.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Route } from '../pipeline/route.ts'
import { CredentialsError, credentialsOf } from './credentials.ts'
import type { SubscriptionObserver } from './observer.ts'
import type { Work } from './routes.ts'
import type { Secrets } from './secrets.ts'
import { startWorker, type Worker } from './worker.ts'

export type SessionOptions = {
  readonly store: Pick<Store, 'get'>
  readonly log: Log
  readonly metrics: Metrics
  readonly guard: AddressGuard
  readonly drainTimeoutMs: number
  readonly observer: SubscriptionObserver
}

/** The connections to one broker, by one endpoint, and the workers on them. */
export type BrokerSession = {
  readonly endpoint: Endpoint
  /** Starts, changes and stops workers until they are those of `work`. */
  fit(work: Work, secrets: Secrets): Promise<void>
  /** Reports on none of its subscriptions any more. */
  drop(): void
  /** Ends what is in flight, then disconnects. */
  close(): Promise<void>
  /** As `close`, without reporting on what still ends: another session takes over. */
  leave(): Promise<void>
}

type Running = { readonly worker: Worker; readonly credentials: Credentials }

/** Connects to a broker. The signal drops the connections immediately. */
export const openSession = (
  endpoint: Endpoint,
  { broker }: Work['attached'],
  options: SessionOptions,
  killed: AbortSignal,
): BrokerSession => {
  const { store, log, metrics, guard, drainTimeoutMs, observer } = options
  const { namespace, name } = broker.metadata
  const running = new Map<string, Running>()
  const ending = new Set<Promise<void>>()
  const amqp = connectAmqp(endpoint, { name: `waybill dispatcher ${namespace}/${name}`, log }, killed)
  const unsubscribe = amqp.onState(({ consuming, publishing }) => {
    metrics.brokerAmqpConnected.set({ namespace, broker: name }, consuming === 'up' && publishing === 'up' ? 1 : 0)
  })
  let levels: readonly number[] = []

  const start = (route: Route, credentials: Credentials): void => {
    const { timeoutMs, concurrency } = route.terms
    let worker: Worker | undefined
    const started = startWorker({
      amqp,
      route,
      sender: createSender(route.target, { timeoutMs, concurrency, guard, credentials }),
      metrics,
      log,
      drainTimeoutMs,
      stats: observer.statsOf(route.subscription),
      levels: () => levels,
      // It may call before `startWorker` returns, and while it ends after another worker has taken its place.
      changed: () => worker && running.get(route.id)?.worker === worker && observer.changed(worker),
    })
    worker = started
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

  const stop = (id: string, { worker }: Running): void => {
    running.delete(id)
    endLater(worker)
    observer.dropped(worker.route.subscription)
  }

  const fitRoute = async (route: Route, secrets: Secrets): Promise<void> => {
    const before = running.get(route.id)
    const credentials = await credentialsOf(route.subscription, secrets)
    if (before?.worker.route.key === route.key && isDeepStrictEqual(before.credentials, credentials)) return
    start(route, credentials)
    if (before) endLater(before.worker)
  }

  const close = async (): Promise<void> => {
    for (const { worker } of running.values()) endLater(worker)
    await Promise.all(ending)
    await amqp.close()
  }

  return {
    endpoint,
    async fit(work, secrets) {
      levels = work.levels
      const wanted = new Set(work.routes.map(({ id }) => id))
      for (const [id, each] of running) if (!wanted.has(id)) stop(id, each)
      for (const route of work.routes) {
        try {
          await fitRoute(route, secrets)
        } catch (error) {
          const before = running.get(route.id)
          // A running worker keeps the credentials it has until the Secret can be read.
          if (error instanceof SecretError && (before || error.kind === 'unavailable')) continue
          if (!(error instanceof CredentialsError || error instanceof SecretError)) throw error
          if (before) stop(route.id, before)
          observer.idle({ subscription: route.subscription, reason: 'TargetInvalid', message: error.message })
        }
      }
    },
    drop() {
      for (const { worker } of running.values()) observer.dropped(worker.route.subscription)
    },
    close,
    leave() {
      unsubscribe()
      const closed = close()
      running.clear()
      return closed
    },
  }
}
