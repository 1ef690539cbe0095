import type { Broker } from '../../api/kinds/broker.ts'
import type { DeadLetterPolicy } from '../../api/kinds/dead-letter-policy.ts'
import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { idFrom, idOf, keyFrom } from '../../api/resource.ts'
import { gather } from '../../store/gather.ts'
import type { Store } from '../../store/store.ts'
import { resolveReferences } from '../../topology/references.ts'
import type { Route } from '../pipeline/route.ts'
import { workOf } from '../workers/routes.ts'

/** The Broker of a Subscription and its policy, as its references lead to them. */
export const attachedFor = (
  subscription: Subscription,
  store: Pick<Store, 'list'>,
): { readonly broker: Broker; readonly policy: DeadLetterPolicy | undefined } | undefined => {
  for (const { broker, subscriptions } of resolveReferences(gather(store)).attached.values()) {
    const found = subscriptions.find((each) => each.subscription === subscription)
    if (found) return { broker, policy: found.policy }
  }
  return undefined
}

type Found = { readonly route: Route; readonly broker: Broker }

/** The route of a Subscription, or why nothing is to be done with its dead letters now. */
export const routeFor = (
  namespace: string,
  name: string,
  store: Pick<Store, 'get' | 'list'>,
): Found | { readonly message: string } => {
  const subject = `Subscription ${keyFrom(namespace, name)}`
  if (store.get(kind, namespace, name) === undefined) return { message: `${subject} does not exist` }
  const id = idFrom(kind.kind, namespace, name)
  const { work, idle } = workOf(gather(store))
  for (const { attached, routes } of work.values()) {
    const route = routes.find((each) => each.id === id)
    if (route) return { route, broker: attached.broker }
  }
  const why = idle.find(({ subscription }) => idOf(subscription) === id)?.message
  return { message: `${subject} is not delivered: ${why ?? 'it is not yet declared on a broker'}` }
}
