import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { isDeleting } from '../../api/resource.ts'
import type { Store } from '../../store/store.ts'

/** Whether a Subscription is as it was: one that was suspended, deleted or given another address since gets nothing more. Where there is none, nothing changes. */
export const isUnchanged = (store: Pick<Store, 'get'>, subscription: Subscription | undefined): boolean => {
  if (subscription === undefined) return true
  const { metadata } = subscription
  const now = store.get(kind, metadata.namespace, metadata.name)
  return now?.metadata.uid === metadata.uid && now.metadata.generation === metadata.generation && !isDeleting(now)
}
