import type { LookupFunction } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { Broker } from '../api/broker.ts'
import { isDeleting } from '../api/resource.ts'
import { type Endpoint, EndpointError, readEndpoint } from '../rabbit/endpoint.ts'
import { connectManagement, type Management } from '../rabbit/management.ts'
import type { Store } from '../store/store.ts'

/** One management connection a broker, renewed when its Secret says something else. */
export const connections = (store: Store, lookup?: LookupFunction) => {
  const open = new Map<string, { endpoint: Endpoint; management: Management }>()

  const drop = async (key: string): Promise<void> => {
    const known = open.get(key)
    open.delete(key)
    await known?.management.close()
  }

  return {
    /** @throws EndpointError */
    async to(key: string, broker: Broker): Promise<Management> {
      // Read each time: a Secret cannot be watched with the rights that Waybill asks for.
      const known = open.get(key)
      let endpoint: Endpoint
      try {
        endpoint = await readEndpoint(broker, store.secret, lookup)
      } catch (error) {
        // A Secret that goes together with its Broker is still needed to tidy up.
        if (error instanceof EndpointError && known && isDeleting(broker)) return known.management
        throw error
      }
      if (known && isDeepStrictEqual(known.endpoint, endpoint)) return known.management
      await drop(key)
      const management = connectManagement(endpoint)
      open.set(key, { endpoint, management })
      return management
    },
    /** The connection that is in use, if there is one. */
    current: (key: string): Management | undefined => open.get(key)?.management,
    drop,
    close: async (): Promise<void> => {
      await Promise.all([...open.keys()].map(drop))
    },
  }
}

export type Connections = ReturnType<typeof connections>
