import type { LookupFunction } from 'node:net'
import { subscription as kind } from '../../api/kinds/subscription.ts'
import { keyFrom, keyOf, type ResourceName } from '../../api/resource.ts'
import { type Redaction, redactionOf } from '../../delivery/letters/redact.ts'
import { type Endpoint, readEndpoint } from '../../rabbit/endpoint.ts'
import { EndpointError } from '../../rabbit/endpoint-error.ts'
import { readSecret } from '../../store/read-secret.ts'
import { SecretError } from '../../store/secret-error.ts'
import type { Store } from '../../store/store.ts'
import { deadLetterQueueOf } from '../../topology/names.ts'
import { attachedFor } from '../workers/attached-for.ts'
import { wasProgrammed } from '../workers/routes.ts'
import { type Refused, refused } from './refused.ts'

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
  store: Pick<Store, 'get' | 'list' | 'secret'>,
  { namespace, name }: ResourceName,
  lookup: LookupFunction | undefined,
): Promise<Place | Refused> => {
  const subscription = keyFrom(namespace, name)
  const found = store.get(kind, namespace, name)
  const attached = found && attachedFor(found, store)
  if (found === undefined) {
    return refused(404, 'NotFound', `Subscription ${subscription} does not exist; see waybill get subscriptions`)
  }
  if (attached === undefined) {
    return refused(404, 'NotFound', `References of Subscription ${subscription} lead nowhere: see ResolvedRefs`)
  }
  if (!wasProgrammed(found)) {
    return refused(409, 'NotDeclared', `Subscription ${subscription} is not declared on the broker: see Programmed`)
  }
  const { broker, policy, unknownPolicy } = attached
  // It may have withheld parts of them, and nobody is to see those because it is gone.
  if (unknownPolicy) {
    const why = `what nobody is to see of these dead letters is not known: ${unknownPolicy.field}: ${unknownPolicy.message}`
    return refused(409, 'PolicyUnknown', `${why}. Create it, or take the reference off the Subscription`)
  }
  try {
    const endpoint = await readEndpoint(broker, (...named) => readSecret(store, ...named), lookup)
    return { subscription, endpoint, queue: deadLetterQueueOf(found), redaction: redactionOf(policy) }
  } catch (error) {
    if (!(error instanceof EndpointError || error instanceof SecretError)) throw error
    return refused(503, 'BrokerUnavailable', `Broker ${keyOf(broker)} cannot be used: see its condition Connected`)
  }
}
