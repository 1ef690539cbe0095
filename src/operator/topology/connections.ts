import type { LookupFunction } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { Broker } from '../../api/kinds/broker.ts'
import { isDeleting } from '../../api/resource.ts'
import { type Endpoint, readEndpoint } from '../../rabbit/endpoint.ts'
import { EndpointError } from '../../rabbit/endpoint-error.ts'
import { connectManagement, type Management } from '../../rabbit/management/management.ts'
import { readSecret } from '../../store/read-secret.ts'
import type { Store } from '../../store/store.ts'
import { freshness } from './freshness.ts'

export type ConnectionsOptions = {
  readonly store: Pick<Store, 'secret'>
  /** Resolves the names of brokers; the system when left out. */
  readonly lookup: LookupFunction | undefined
  /** Called right before anything is sent that changes a broker; what it throws prevents that. */
  readonly fence: (() => void) | undefined
  /** In ms, from any moment on. Default: the system's. */
  readonly now?: () => number
}

/**
 * One management connection per broker, replaced when its endpoint or its Secret changes. Nothing is read while nothing happens:
 * see {@link freshness}.
 */
export const connections = ({ store, lookup, fence, now = () => performance.now() }: ConnectionsOptions) => {
  const open = new Map<string, { endpoint: Endpoint; management: Management }>()
  const fresh = freshness(now)

  const drop = async (key: string): Promise<void> => {
    const known = open.get(key)
    open.delete(key)
    await known?.management.close()
  }

  /** The endpoint as the Secrets say it now, or as they said it a moment ago. */
  const endpointOf = async (key: string, broker: Broker): Promise<Endpoint> => {
    const known = open.get(key)
    if (known && fresh.is(key, broker)) return known.endpoint
    return fresh.read(key, broker, () => readEndpoint(broker, (...secret) => readSecret(store, ...secret), lookup))
  }

  return {
    /** @throws EndpointError, SecretError */
    async to(key: string, broker: Broker): Promise<Management> {
      const known = open.get(key)
      let endpoint: Endpoint
      try {
        endpoint = await endpointOf(key, broker)
      } catch (error) {
        // A Secret that is deleted together with its Broker is still needed to delete what was declared there.
        if (error instanceof EndpointError && known && isDeleting(broker)) return known.management
        throw error
      }
      if (known && isDeepStrictEqual(known.endpoint, endpoint)) return known.management
      await drop(key)
      const management = connectManagement(endpoint, fence)
      open.set(key, { endpoint, management })
      return management
    },
    /** The connection in use, unless there is none or its Secret has changed. @throws EndpointError, SecretError */
    async current(key: string, broker: Broker): Promise<Management | undefined> {
      const known = open.get(key)
      if (known === undefined) return undefined
      if (isDeepStrictEqual(known.endpoint, await endpointOf(key, broker))) return known.management
      fresh.doubt(key)
      return undefined
    },
    /** Something is not as it was, or credentials are refused: the Secrets are read again before the connection is used. */
    doubt: fresh.doubt,
    doubtAll: fresh.doubtAll,
    drop: async (key: string): Promise<void> => {
      fresh.doubt(key)
      await drop(key)
    },
    close: async (): Promise<void> => {
      await Promise.all([...open.keys()].map(drop))
    },
  }
}

export type Connections = ReturnType<typeof connections>
