import type { LookupFunction } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { Broker } from '../../api/kinds/broker.ts'
import { isDeleting } from '../../api/resource.ts'
import { type Endpoint, readEndpoint } from '../../rabbit/endpoint.ts'
import { EndpointError } from '../../rabbit/endpoint-error.ts'
import { connectManagement, type Management } from '../../rabbit/management/management.ts'
import { readSecret } from '../../store/read-secret.ts'
import type { Store } from '../../store/store.ts'

export type ConnectionsOptions = {
  readonly store: Pick<Store, 'secret'>
  /** Resolves the names of brokers; the system when left out. */
  readonly lookup: LookupFunction | undefined
  /** Called right before anything is sent that changes a broker; what it throws prevents that. */
  readonly fence: (() => void) | undefined
  /** In ms, from any moment on. Default: the system's. */
  readonly now?: () => number
}

/** A connection, and what its Secrets were read for, and when. */
type Open = {
  readonly endpoint: Endpoint
  readonly management: Management
  readonly wanted: string
  readonly readAt: number
}

/** A Secret cannot be watched with the rights that Waybill asks for, so it is read again this often. */
export const readAgainMs = 60_000

const wantedBy = ({ metadata: { uid, generation } }: Broker): string => `${uid} ${generation}`

/**
 * One management connection per broker, replaced when its endpoint or its Secret changes. Secrets are read again when the Broker
 * changes, when something is in doubt, and else once a minute.
 */
export const connections = ({ store, lookup, fence, now = () => performance.now() }: ConnectionsOptions) => {
  const open = new Map<string, Open>()
  const doubtful = new Set<string>()

  const drop = async (key: string): Promise<void> => {
    const known = open.get(key)
    open.delete(key)
    doubtful.delete(key)
    await known?.management.close()
  }

  const isFresh = (key: string, { wanted, readAt }: Open, broker: Broker): boolean =>
    !doubtful.has(key) && wanted === wantedBy(broker) && now() - readAt < readAgainMs

  /** The endpoint as the Secrets say it now, or as they said it a moment ago. */
  const endpointOf = async (key: string, broker: Broker): Promise<Endpoint> => {
    const known = open.get(key)
    if (known && isFresh(key, known, broker)) return known.endpoint
    const readAt = now()
    // What comes in doubt while it is read is read once more.
    doubtful.delete(key)
    try {
      const endpoint = await readEndpoint(broker, (...secret) => readSecret(store, ...secret), lookup)
      if (known === undefined) return endpoint
      if (!isDeepStrictEqual(known.endpoint, endpoint)) {
        doubtful.add(key)
        return endpoint
      }
      if (open.get(key) === known) open.set(key, { ...known, wanted: wantedBy(broker), readAt })
      return known.endpoint
    } catch (error) {
      doubtful.add(key)
      throw error
    }
  }

  return {
    /** @throws EndpointError, SecretError */
    async to(key: string, broker: Broker): Promise<Management> {
      const readAt = now()
      let endpoint: Endpoint
      try {
        endpoint = await endpointOf(key, broker)
      } catch (error) {
        const known = open.get(key)
        // A Secret that is deleted together with its Broker is still needed to delete what was declared there.
        if (error instanceof EndpointError && known && isDeleting(broker)) return known.management
        throw error
      }
      const known = open.get(key)
      if (known && isDeepStrictEqual(known.endpoint, endpoint)) return known.management
      await drop(key)
      const management = connectManagement(endpoint, fence)
      open.set(key, { endpoint, management, wanted: wantedBy(broker), readAt })
      return management
    },
    /** The connection in use, unless there is none or its Secret has changed. @throws EndpointError, SecretError */
    async current(key: string, broker: Broker): Promise<Management | undefined> {
      const known = open.get(key)
      if (known === undefined) return undefined
      return isDeepStrictEqual(known.endpoint, await endpointOf(key, broker)) ? known.management : undefined
    },
    /** Something is not as it was, or credentials are refused: the Secrets are read again before the connection is used. */
    doubt: (key: string): void => void doubtful.add(key),
    doubtAll: (): void => {
      for (const key of open.keys()) doubtful.add(key)
    },
    drop,
    close: async (): Promise<void> => {
      await Promise.all([...open.keys()].map(drop))
    },
  }
}

export type Connections = ReturnType<typeof connections>
