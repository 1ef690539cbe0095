import type { LookupFunction } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { namedBy } from '../../api/resource.ts'
import { BytesInHand, defaultBytesInHand } from '../../rabbit/amqp/deliveries/bytes-in-hand.ts'
import { type Endpoint, readEndpoint } from '../../rabbit/endpoint.ts'
import { EndpointError } from '../../rabbit/endpoint-error.ts'
import { readSecret } from '../../store/read-secret.ts'
import { SecretError } from '../../store/secret-error.ts'
import type { Store } from '../../store/store.ts'
import { createIsolation } from './isolation.ts'
import type { Idle, Work } from './routes.ts'
import type { WorkersOptions } from './running-workers.ts'
import { type Secrets, secretsOf } from './secrets.ts'
import { type BrokerSession, openSession } from './session.ts'

export type FleetOptions = Omit<WorkersOptions, 'isolation' | 'inHand'> & {
  readonly store: Store
  /** Resolves the names of brokers. */
  readonly lookup: LookupFunction | undefined
}

/** The sessions and workers of this process. */
export type Fleet = {
  /**
   * Starts, changes and stops workers until they are those of `work`, and reports why the subscriptions in `idle` have
   * none. Resolves to why a Secret could not be read, if any: what needs it stays as it was.
   */
  follow(work: ReadonlyMap<string, Work>, idle: readonly Idle[]): Promise<SecretError | undefined>
  /** Ends everything in flight, within the drain timeout. */
  close(): Promise<void>
}

export const createFleet = (options: FleetOptions): Fleet => {
  const { store, metrics, lookup, observer } = options
  const sessions = new Map<string, BrokerSession>()
  const leaving = new Set<Promise<void>>()
  const killed = new AbortController()
  const isolation = createIsolation()
  const inHand = new BytesInHand(defaultBytesInHand())

  /** The next session need not wait for what still ends in this one. */
  const leave = (session: BrokerSession): void => {
    const left = session.leave().finally(() => leaving.delete(left))
    leaving.add(left)
  }

  const sessionTo = async (key: string, work: Work, { secret }: Secrets): Promise<BrokerSession | undefined> => {
    const known = sessions.get(key)
    let endpoint: Endpoint
    try {
      endpoint = await readEndpoint(work.attached.broker, (...named) => readSecret({ secret }, ...named), lookup)
    } catch (error) {
      // The operator reports it on the Broker; running workers keep the credentials they have.
      if (error instanceof EndpointError || error instanceof SecretError) return known
      throw error
    }
    if (known && isDeepStrictEqual(known.endpoint, endpoint)) return known
    if (known) leave(known)
    const session = openSession(endpoint, work.attached, { ...options, isolation, inHand }, killed.signal)
    sessions.set(key, session)
    return session
  }

  const end = (key: string, session: BrokerSession): void => {
    sessions.delete(key)
    session.drop()
    leave(session)
    metrics.brokerAmqpConnected.remove(...namedBy(key))
  }

  return {
    async follow(work, idle) {
      const secrets = secretsOf(store)
      for (const [key, session] of sessions) if (!work.has(key)) end(key, session)
      for (const [key, each] of work) {
        if (each.routes.length === 0 && !sessions.has(key)) continue
        const session = await sessionTo(key, each, secrets)
        await session?.fit(each, secrets)
      }
      for (const each of idle) observer.idle(each)
      return secrets.unavailable()
    },
    async close() {
      await Promise.all([...[...sessions.values()].map((session) => session.close()), ...leaving])
      killed.abort()
    },
  }
}
