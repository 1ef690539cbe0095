import type { Broker } from '../../api/kinds/broker.ts'
import type { DeadLetterPolicy } from '../../api/kinds/dead-letter-policy.ts'
import { subscription as kind } from '../../api/kinds/subscription.ts'
import { idFrom, idOf, keyFrom } from '../../api/resource.ts'
import { gather } from '../../store/gather.ts'
import type { Store } from '../../store/store.ts'
import type { Route } from '../pipeline/route.ts'
import { workOf } from '../workers/routes.ts'

type Found = { readonly route: Route; readonly broker: Broker; readonly policy: DeadLetterPolicy | undefined }

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
    if (route === undefined) continue
    const entry = attached.subscriptions.find(({ subscription }) => subscription === route.subscription)
    return { route, broker: attached.broker, policy: entry?.policy }
  }
  const why = idle.find(({ subscription }) => idOf(subscription) === id)?.message
  return { message: `${subject} is not delivered: ${why ?? 'it is not yet declared on a broker'}` }
}
