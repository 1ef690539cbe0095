import type { LookupFunction } from 'node:net'
import { keyFrom, keyOf } from '../../api/resource.ts'
import { type Redaction, redactionOf } from '../../delivery/letters/redact.ts'
import { type Endpoint, readEndpoint } from '../../rabbit/endpoint.ts'
import { EndpointError } from '../../rabbit/endpoint-error.ts'
import { gather } from '../../store/gather.ts'
import { readSecret } from '../../store/read-secret.ts'
import { SecretError } from '../../store/secret-error.ts'
import type { Store } from '../../store/store.ts'
import { deadLetterQueueOf } from '../../topology/names.ts'
import { resolveReferences } from '../../topology/references.ts'
import { wasProgrammed } from '../workers/routes.ts'
import { type Refused, refused } from './refused.ts'

export type Named = { readonly namespace: string; readonly name: string }

/** Where the dead letters of a subscription are. */
export type Place = {
  /** `namespace/name` */
  readonly subscription: string
  readonly endpoint: Endpoint
  readonly queue: string
  /** What nobody gets to see of them. */
  readonly redaction: Redaction | undefined
}

/**
 * Follows a subscription to its Broker and its dead-letter queue. As for deliveries, the operator must have seen its queues on
 * the broker once: before that they may be those of somebody else.
 */
export const placeOf = async (
  store: Pick<Store, 'list' | 'secret'>,
  { namespace, name }: Named,
  lookup: LookupFunction | undefined,
): Promise<Place | Refused> => {
  const subscription = keyFrom(namespace, name)
  const { attached } = resolveReferences(gather(store))
  for (const { broker, subscriptions } of attached.values()) {
    const entry = subscriptions.find((each) => keyOf(each.subscription) === subscription)
    if (entry === undefined) continue
    const { subscription: found, policy } = entry
    if (!wasProgrammed(found)) {
      return refused(409, 'NotDeclared', `Subscription ${subscription} is not declared on the broker: see Programmed`)
    }
    try {
      const endpoint = await readEndpoint(broker, (...named) => readSecret(store, ...named), lookup)
      const queue = deadLetterQueueOf(found)
      return { subscription, endpoint, queue, redaction: redactionOf(policy) }
    } catch (error) {
      if (!(error instanceof EndpointError || error instanceof SecretError)) throw error
      return refused(503, 'BrokerUnavailable', `Broker ${keyOf(broker)} cannot be used: see its condition Connected`)
    }
  }
  return refused(404, 'NotFound', `Subscription ${subscription} does not exist, or its references lead nowhere`)
}
