import { isDeepStrictEqual } from 'node:util'
import type { Subscription } from '../api/subscription.ts'
import { type Amqp, connectAmqp } from '../rabbit/amqp.ts'
import { type Endpoint, EndpointError, readEndpoint } from '../rabbit/endpoint.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { AddressGuard } from './addresses.ts'
import { type Lane, startLane } from './lane.ts'
import type { Idle, Route, Work } from './routes.ts'
import type { TlsOptions } from './send.ts'
import { TlsSecretError, tlsOf } from './tls.ts'

export type ConsumersOptions = {
  readonly store: Store
  readonly log: Log
  readonly metrics: Metrics
  readonly guard: AddressGuard
  readonly drainTimeoutMs: number
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
}

/** The connections and lanes of this process, made to fit the work there is. */
export const createConsumers = (options: ConsumersOptions) => {
  const { store, log, metrics, guard, drainTimeoutMs, changed, idle, dropped } = options
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
    amqp.onState(({ consuming, publishing }) => {
      metrics.brokerAmqpConnected.set({ namespace, broker }, consuming === 'up' && publishing === 'up' ? 1 : 0)
    })
    const link: Link = { endpoint, amqp, running: new Map(), levels }
    links.set(key, link)
    return link
  }

  /** Ends what is in flight before it leaves the broker. */
  const close = async ({ amqp }: Link, running: readonly Running[]): Promise<void> => {
    await Promise.all(running.map(({ lane }) => lane.stop()))
    await amqp.close()
  }

  /** Whoever takes over need not wait for what still ends, which is no longer reported on. */
  const leave = (link: Link): void => {
    const running = [...link.running.values()]
    link.running.clear()
    after(close(link, running))
  }

  const linkTo = async (key: string, work: Work): Promise<Link | undefined> => {
    const known = links.get(key)
    let endpoint: Endpoint
    try {
      endpoint = await readEndpoint(work.attached.broker, store.secret)
    } catch (error) {
      // The operator says so on the Broker; what runs goes on with the credentials it has.
      if (error instanceof EndpointError) return known
      throw error
    }
    if (known && isDeepStrictEqual(known.endpoint, endpoint)) return known
    if (known) leave(known)
    return open(key, endpoint, work)
  }

  const start = (link: Link, route: Route, tls: TlsOptions | undefined, before: Running | undefined): void => {
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
      ...(before ? { tally: before.lane.state().tally } : {}),
    })
    lane = started
    link.running.set(route.id, { lane, tls })
    changed(lane)
  }

  const fitRoute = async (link: Link, route: Route): Promise<void> => {
    const running = link.running.get(route.id)
    const tls = await tlsOf(route.subscription, store)
    if (running?.lane.route.key === route.key && isDeepStrictEqual(running.tls, tls)) return
    start(link, route, tls, running)
    if (running) after(running.lane.stop())
  }

  const fitLink = async (link: Link, { routes, idle: resting, levels }: Work): Promise<void> => {
    link.levels = levels
    const wanted = new Set(routes.map(({ id }) => id))
    for (const [id, { lane }] of link.running) {
      if (wanted.has(id)) continue
      link.running.delete(id)
      after(lane.stop())
      dropped(lane.route.subscription)
    }
    for (const each of resting) idle(each)
    for (const route of routes) {
      try {
        await fitRoute(link, route)
      } catch (error) {
        if (!(error instanceof TlsSecretError)) throw error
        idle({ subscription: route.subscription, reason: 'TargetInvalid', message: error.message })
      }
    }
  }

  return {
    /** Starts, changes and stops lanes until they are those of `work`. */
    async follow(work: ReadonlyMap<string, Work>): Promise<void> {
      for (const [key, link] of links) {
        if (work.has(key)) continue
        links.delete(key)
        for (const { lane } of link.running.values()) dropped(lane.route.subscription)
        leave(link)
      }
      for (const [key, each] of work) {
        if (each.routes.length === 0 && each.idle.length === 0 && !links.has(key)) continue
        const link = await linkTo(key, each)
        if (link) await fitLink(link, each)
      }
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
