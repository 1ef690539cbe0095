import { connectAmqp } from '../../rabbit/amqp/connect.ts'
import type { Endpoint } from '../../rabbit/endpoint.ts'
import { SecretError } from '../../store/secret-error.ts'
import type { Route } from '../pipeline/route.ts'
import { TargetError } from './credentials.ts'
import type { Work } from './routes.ts'
import { createWorkers, type WorkersOptions } from './running-workers.ts'
import type { Secrets } from './secrets.ts'

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

/** Connects to a broker. The signal drops the connections immediately. */
export const openSession = (
  endpoint: Endpoint,
  { broker }: Work['attached'],
  options: WorkersOptions,
  killed: AbortSignal,
): BrokerSession => {
  const { log, metrics, observer, inHand } = options
  const { namespace, name } = broker.metadata
  const amqp = connectAmqp(endpoint, { name: `waybill dispatcher ${namespace}/${name}`, log, inHand }, killed)
  const unsubscribe = amqp.onState(({ consuming, publishing }) => {
    metrics.brokerAmqpConnected.set({ namespace, broker: name }, consuming === 'up' && publishing === 'up' ? 1 : 0)
  })
  const workers = createWorkers(amqp, options)

  const fitRoute = async (route: Route, secrets: Secrets): Promise<void> => {
    try {
      await workers.fit(route, secrets)
    } catch (error) {
      // A running worker keeps the credentials it has until the Secret can be read.
      if (error instanceof SecretError && (workers.has(route.id) || error.kind === 'unavailable')) return
      if (!(error instanceof TargetError || error instanceof SecretError)) throw error
      workers.stop(route.id)
      observer.idle({ subscription: route.subscription, reason: 'TargetInvalid', message: error.message })
    }
  }

  return {
    endpoint,
    async fit(work, secrets) {
      const wanted = new Set(work.routes.map(({ id }) => id))
      for (const id of workers.ids()) if (!wanted.has(id)) workers.stop(id)
      for (const route of work.routes) await fitRoute(route, secrets)
    },
    drop: workers.drop,
    async close() {
      await workers.close(false)
      await amqp.close()
    },
    async leave() {
      unsubscribe()
      await workers.close(true)
      await amqp.close()
    },
  }
}
