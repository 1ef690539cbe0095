import { queue as queueKind } from '../../api/kinds/queue.ts'
import { toOf } from '../../api/kinds/replay.ts'
import { subscription as subscriptionKind } from '../../api/kinds/subscription.ts'
import { idFrom, idOf, keyOf } from '../../api/resource.ts'
import type { Store } from '../../store/store.ts'
import { queueOf } from '../../topology/names.ts'
import {
  brokerOf,
  type Destination,
  isUsable,
  missing,
  type NotReady,
  notDeclared,
  type Source,
  undeclared,
} from './source.ts'
import type { Job } from './unfinished.ts'

/** Where a job puts what it takes, or why that is not possible; `undefined` where it puts nothing anywhere. */
export const destinationFor = (
  job: Job,
  source: Source,
  store: Pick<Store, 'get' | 'list'>,
): Destination | NotReady | undefined => {
  if (job.kind === 'Discard') return undefined
  const to = toOf(job.spec)
  if (to !== 'Queue' && to !== 'Topic') return undefined
  if (job.spec.target === undefined) return source.home ?? notDeclared('Orphans need a target')
  const found = targetOf(job, source, store)
  return 'message' in found ? { ...found, isTargetGone: true } : found
}

/** Only what the namespace of the job has, on the broker that has the messages: nobody gets what they could not get otherwise. */
const targetOf = (
  { spec, metadata: { namespace } }: Job & { readonly kind: 'Replay' },
  { broker }: Source,
  store: Pick<Store, 'get' | 'list'>,
): Destination | NotReady => {
  const { subscriptionRef, queueRef } = spec.target ?? {}
  const elsewhere = (id: string) =>
    notDeclared(`${id} is on another Broker than ${idOf(broker)}, which has the messages`)
  const isHere = (found: typeof broker | undefined): boolean => found !== undefined && keyOf(found) === keyOf(broker)
  if (queueRef) {
    const queue = store.get(queueKind, namespace, queueRef.name)
    if (queue === undefined) return missing(idFrom('Queue', namespace, queueRef.name))
    if (!isUsable(queue)) return undeclared(queue)
    const itsBroker = brokerOf(store, ({ queues }) => queues.some((each) => each.queue === queue))
    return isHere(itsBroker) ? { queue: queueOf(queue) } : elsewhere(idOf(queue))
  }
  const name = subscriptionRef?.name ?? ''
  const subscription = store.get(subscriptionKind, namespace, name)
  if (subscription === undefined) return missing(idFrom('Subscription', namespace, name))
  const { retryQueue } = subscription.status ?? {}
  if (!isUsable(subscription) || retryQueue === undefined) return undeclared(subscription)
  const itsBroker = brokerOf(store, ({ subscriptions }) =>
    subscriptions.some((each) => each.subscription === subscription),
  )
  return isHere(itsBroker) ? { queue: retryQueue } : elsewhere(idOf(subscription))
}
