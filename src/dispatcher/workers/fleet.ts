import type { LookupFunction } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import type { Tally } from '../../delivery/stats.ts'
import { type Amqp, connectAmqp } from '../../rabbit/amqp/connect.ts'
import { type Endpoint, EndpointError, readEndpoint } from '../../rabbit/endpoint.ts'
import { SecretError } from '../../store/secret-error.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { AddressGuard } from '../../http/address-guard.ts'
import { type Lane, startLane } from './worker.ts'
import type { Idle, Route, Work } from './routes.ts'
import { type Secrets, secretsOf } from './secrets.ts'
import type { TlsOptions } from '../../http/send.ts'
import { TlsSecretError, tlsOf } from './credentials.ts'

export type ConsumersOptions = {
  readonly store: Store
  readonly log: Log
  readonly metrics: Metrics
  readonly guard: AddressGuard
  /** Resolves the names of brokers. */
  readonly lookup: LookupFunction | undefined
  readonly drainTimeoutMs: number
  /** The counts of a subscription, which outlive its lanes. */
  tallyOf(subscription: Subscription): Tally
  /** The state of a lane changed. */
  changed(lane: Lane): void
  /** A subscription is not delivered, and this is why. */
  idle(idle: Idle): void
  /** A subscription is no longer among those to be reported on. */
  dropped(subscription: Subscription): void
}

type Running = { readonly lane: Lane; readonly tls: TlsOptions | undefined }
type Link = {
  readonly endpoint: Endpoint
  readonly amqp: Amqp
  readonly running: Map<string, Running>
  levels: readonly number[]
  /** Ends the report on its connections. */
  readonly hush: () => void
}

/** The connections and lanes of this process, made to fit the work there is. */
export const createConsumers = (options: ConsumersOptions) => {
  const { store, log, metrics, guard, lookup, drainTimeoutMs, tallyOf, changed, idle, dropped } = options
  const links = new Map<string, Link>()
  const ending = new Set<Promise<void>>()
  const killed = new AbortController()

  const after = (work: Promise<void>): void => {
    const ended = work.finally(() => ending.delete(ended))
    ending.add(ended)
  }

  const open = (key: string, endpoint: Endpoint, { attached, levels }: Work): Link => {
    const amqp = connectAmqp(endpoint, { name: `waybill dispatcher ${key}`, log }, killed.signal)
    const { namespace, name: broker } = attached.broker.metadata
    const hush = amqp.onState(({ consuming, publishing }) => {
      metrics.brokerAmqpConnected.set({ namespace, broker }, consuming === 'up' && publishing === 'up' ? 1 : 0)
    })
    const link: Link = { endpoint, amqp, running: new Map(), levels, hush }
    links.set(key, link)
    return link
  }

  /** Ends a lane. What it counted meanwhile is nobody's where the subscription is gone. */
  const end = async ({ route, stop }: Lane): Promise<void> => {
    await stop()
    const { namespace, name } = route.subscription.metadata
    if (store.get(kind, namespace, name) === undefined) await metrics.forgetSubscription(namespace, name)
  }

  /** Ends what is in flight before it leaves the broker. */
  const close = async ({ amqp }: Link, running: readonly Running[]): Promise<void> => {
    await Promise.all(running.map(({ lane }) => end(lane)))
    await amqp.close()
  }

  /** Whoever takes over need not wait for what still ends, which is no longer reported on. */
  const leave = (link: Link): void => {
    const running = [...link.running.values()]
    link.running.clear()
    link.hush()
    after(close(link, running))
  }

  const linkTo = async (key: string, work: Work, { secret }: Secrets): Promise<Link | undefined> => {
    const known = links.get(key)
    let endpoint: Endpoint
    try {
      endpoint = await readEndpoint(work.attached.broker, secret, lookup)
    } catch (error) {
      // The operator says so on the Broker; what runs goes on with the credentials it has.
      if (error instanceof EndpointError || error instanceof SecretError) return known
      throw error
    }
    if (known && isDeepStrictEqual(known.endpoint, endpoint)) return known
    if (known) leave(known)
    return open(key, endpoint, work)
  }

  const start = (link: Link, route: Route, tls: TlsOptions | undefined): void => {
    let lane: Lane | undefined
    const started = startLane({
      amqp: link.amqp,
      route,
      tls,
      guard,
      metrics,
      log,
      drainTimeoutMs,
      levels: () => link.levels,
      // It may speak before it is handed over, and while it ends after another has taken its place.
      changed: () => lane && link.running.get(route.id)?.lane === lane && changed(lane),
      tally: tallyOf(route.subscription),
    })
    lane = started
    link.running.set(route.id, { lane, tls })
    changed(lane)
  }

  const fitRoute = async (link: Link, route: Route, secrets: Secrets): Promise<void> => {
    const running = link.running.get(route.id)
    const tls = await tlsOf(route.subscription, secrets)
    if (running?.lane.route.key === route.key && isDeepStrictEqual(running.tls, tls)) return
    start(link, route, tls)
    if (running) after(end(running.lane))
  }

  const stop = (link: Link, id: string, { lane }: Running): void => {
    link.running.delete(id)
    after(end(lane))
    dropped(lane.route.subscription)
  }

  const fitLink = async (link: Link, { routes, levels }: Work, secrets: Secrets): Promise<void> => {
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
     * Starts, changes and stops lanes until they are those of `work`; whoever rests is told why. Resolves to why
     * a Secret could not be read, if any: what needs it goes on as it was.
     */
    async follow(work: ReadonlyMap<string, Work>, resting: readonly Idle[]): Promise<SecretError | undefined> {
      const secrets = secretsOf(store)
      for (const [key, link] of links) {
        if (work.has(key)) continue
        links.delete(key)
        for (const { lane } of link.running.values()) dropped(lane.route.subscription)
        leave(link)
        const [namespace = '', name = ''] = key.split('/', 2)
        metrics.brokerAmqpConnected.remove(namespace, name)
      }
      for (const [key, each] of work) {
        if (each.routes.length === 0 && !links.has(key)) continue
        const link = await linkTo(key, each, secrets)
        if (link) await fitLink(link, each, secrets)
      }
      for (const each of resting) idle(each)
      return secrets.unavailable()
    },
    /** Ends everything in flight, within the drain timeout. */
    async close(): Promise<void> {
      const open = [...links.values()]
      await Promise.all([...open.map((link) => close(link, [...link.running.values()])), ...ending])
      killed.abort()
    },
  }
}

export type Consumers = ReturnType<typeof createConsumers>
