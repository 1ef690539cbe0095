import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import type { Store } from '../../store/store.ts'
import type { Attached } from '../../topology/references.ts'

/**
 * The same resources as were reconciled, their specs and generations untouched, with the statuses of subscriptions as
 * they are now: the dispatcher may have begun to deliver while the broker was changed and read.
 */
export const withLatestStatuses = (attached: Attached, store: Store): Attached => ({
  ...attached,
  subscriptions: attached.subscriptions.map((entry) => ({ ...entry, subscription: latest(entry.subscription, store) })),
})

const latest = (subscription: Subscription, store: Store): Subscription => {
  const { namespace, name, uid } = subscription.metadata
  const now = store.get(kind, namespace, name)
  return now?.status && now.metadata.uid === uid ? { ...subscription, status: now.status } : subscription
}
