import type { LookupFunction } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import type { DeliveryStats } from '../../delivery/stats.ts'
import type { AddressGuard } from '../../http/address-guard.ts'
import type { TlsOptions } from '../../http/send.ts'
import { connectAmqp } from '../../rabbit/amqp/connect.ts'
import type { Amqp } from '../../rabbit/amqp/port.ts'
import { type Endpoint, EndpointError, readEndpoint } from '../../rabbit/endpoint.ts'
import { readSecret } from '../../store/read-secret.ts'
import { SecretError } from '../../store/secret-error.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Route } from '../pipeline/route.ts'
import { TlsSecretError, tlsOf } from './credentials.ts'
import type { Idle, Work } from './routes.ts'
import { type Secrets, secretsOf } from './secrets.ts'
import { startWorker, type Worker } from './worker.ts'

export type FleetOptions = {
  readonly store: Store
  readonly log: Log
  readonly metrics: Metrics
  readonly guard: AddressGuard
  /** Resolves the names of brokers. */
  readonly lookup: LookupFunction | undefined
  readonly drainTimeoutMs: number
  /** The counts of a subscription, which outlive its workers. */
  statsOf(subscription: Subscription): DeliveryStats
  /** The state of a worker changed. */
  changed(worker: Worker): void
  /** A subscription is not delivered, and this is why. */
  idle(idle: Idle): void
  /** A subscription is no longer among those to be reported on. */
  dropped(subscription: Subscription): void
}

type RunningWorker = { readonly worker: Worker; readonly tls: TlsOptions | undefined }
type BrokerSession = {
  readonly endpoint: Endpoint
  readonly amqp: Amqp
  readonly running: Map<string, RunningWorker>
  levels: readonly number[]
  /** Ends the report on its connections. */
  readonly unsubscribe: () => void
}

/** The connections and workers of this process, made to fit the work there is. */
export const createFleet = (options: FleetOptions) => {
  const { store, log, metrics, guard, lookup, drainTimeoutMs, statsOf, changed, idle, dropped } = options
  const sessions = new Map<string, BrokerSession>()
  const ending = new Set<Promise<void>>()
  const killed = new AbortController()

  const after = (work: Promise<void>): void => {
    const ended = work.finally(() => ending.delete(ended))
    ending.add(ended)
  }

  const open = (key: string, endpoint: Endpoint, { attached, levels }: Work): BrokerSession => {
    const amqp = connectAmqp(endpoint, { name: `waybill dispatcher ${key}`, log }, killed.signal)
    const { namespace, name: broker } = attached.broker.metadata
    const unsubscribe = amqp.onState(({ consuming, publishing }) => {
      metrics.brokerAmqpConnected.set({ namespace, broker }, consuming === 'up' && publishing === 'up' ? 1 : 0)
    })
    const link: BrokerSession = { endpoint, amqp, running: new Map(), levels, unsubscribe }
    sessions.set(key, link)
    return link
  }

  /** Ends a worker. What it counted meanwhile is nobody's where the subscription is gone. */
  const end = async ({ route, stop }: Worker): Promise<void> => {
    await stop()
    const { namespace, name } = route.subscription.metadata
    if (store.get(kind, namespace, name) === undefined) await metrics.forgetSubscription(namespace, name)
  }

  /** Ends what is in flight before it leaves the broker. */
  const close = async ({ amqp }: BrokerSession, running: readonly RunningWorker[]): Promise<void> => {
    await Promise.all(running.map(({ worker }) => end(worker)))
    await amqp.close()
  }

  /** Whoever takes over need not wait for what still ends, which is no longer reported on. */
  const leave = (link: BrokerSession): void => {
    const running = [...link.running.values()]
    link.running.clear()
    link.unsubscribe()
    after(close(link, running))
  }

  const sessionTo = async (key: string, work: Work, { secret }: Secrets): Promise<BrokerSession | undefined> => {
    const known = sessions.get(key)
    let endpoint: Endpoint
    try {
      endpoint = await readEndpoint(work.attached.broker, (...named) => readSecret({ secret }, ...named), lookup)
    } catch (error) {
      // The operator says so on the Broker; what runs goes on with the credentials it has.
      if (error instanceof EndpointError || error instanceof SecretError) return known
      throw error
    }
    if (known && isDeepStrictEqual(known.endpoint, endpoint)) return known
    if (known) leave(known)
    return open(key, endpoint, work)
  }

  const start = (link: BrokerSession, route: Route, tls: TlsOptions | undefined): void => {
    let worker: Worker | undefined
    const started = startWorker({
      amqp: link.amqp,
      route,
      tls,
      guard,
      metrics,
      log,
      drainTimeoutMs,
      levels: () => link.levels,
      // It may speak before it is handed over, and while it ends after another has taken its place.
      changed: () => worker && link.running.get(route.id)?.worker === worker && changed(worker),
      stats: statsOf(route.subscription),
    })
    worker = started
    link.running.set(route.id, { worker, tls })
    changed(worker)
  }

  const fitRoute = async (link: BrokerSession, route: Route, secrets: Secrets): Promise<void> => {
    const running = link.running.get(route.id)
    const tls = await tlsOf(route.subscription, secrets)
    if (running?.worker.route.key === route.key && isDeepStrictEqual(running.tls, tls)) return
    start(link, route, tls)
    if (running) after(end(running.worker))
  }

  const stop = (link: BrokerSession, id: string, { worker }: RunningWorker): void => {
    link.running.delete(id)
    after(end(worker))
    dropped(worker.route.subscription)
  }

  const fitSession = async (link: BrokerSession, { routes, levels }: Work, secrets: Secrets): Promise<void> => {
    link.levels = levels
    const wanted = new Set(routes.map(({ id }) => id))
    for (const [id, running] of link.running) if (!wanted.has(id)) stop(link, id, running)
    for (const route of routes) {
      try {
        await fitRoute(link, route, secrets)
      } catch (error) {
        const running = link.running.get(route.id)
        // What runs goes on with what it has, until the Secret can be read.
        if (error instanceof SecretError && (running || error.kind === 'unavailable')) continue
        if (!(error instanceof TlsSecretError || error instanceof SecretError)) throw error
        if (running) stop(link, route.id, running)
        idle({ subscription: route.subscription, reason: 'TargetInvalid', message: error.message })
      }
    }
  }

  return {
    /**
     * Starts, changes and stops workers until they are those of `work`; whoever rests is told why. Resolves to why
     * a Secret could not be read, if any: what needs it goes on as it was.
     */
    async follow(work: ReadonlyMap<string, Work>, resting: readonly Idle[]): Promise<SecretError | undefined> {
      const secrets = secretsOf(store)
      for (const [key, link] of sessions) {
        if (work.has(key)) continue
        sessions.delete(key)
        for (const { worker } of link.running.values()) dropped(worker.route.subscription)
        leave(link)
        const [namespace = '', name = ''] = key.split('/', 2)
        metrics.brokerAmqpConnected.remove(namespace, name)
      }
      for (const [key, each] of work) {
        if (each.routes.length === 0 && !sessions.has(key)) continue
        const link = await sessionTo(key, each, secrets)
        if (link) await fitSession(link, each, secrets)
      }
      for (const each of resting) idle(each)
      return secrets.unavailable()
    },
    /** Ends everything in flight, within the drain timeout. */
    async close(): Promise<void> {
      const open = [...sessions.values()]
      await Promise.all([...open.map((link) => close(link, [...link.running.values()])), ...ending])
      killed.abort()
    },
  }
}

export type Fleet = ReturnType<typeof createFleet>
