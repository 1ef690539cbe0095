import { type Queue, queue } from '../../../api/kinds/queue.ts'
import { type Subscription, subscription } from '../../../api/kinds/subscription.ts'
import { identifiedBy, idOf, keyOf } from '../../../api/resource.ts'
import type { Store } from '../../../store/store.ts'

/** What may have a dead-letter queue: a Subscription, and a Queue with a DeadLetterPolicy. */
export type LetterSource = Subscription | Queue

export const isSourceKind = (kind: string): boolean => kind === subscription.kind || kind === queue.kind

export const listSources = (store: Pick<Store, 'list'>): LetterSource[] => [
  ...store.list(subscription),
  ...store.list(queue),
]

/** The source of this id, as it is now; `undefined` also for an id of another kind. */
export const getSource = (store: Pick<Store, 'get'>, id: string): LetterSource | undefined => {
  const [kind, namespace, name] = identifiedBy(id)
  if (kind === queue.kind) return store.get(queue, namespace, name)
  return kind === subscription.kind ? store.get(subscription, namespace, name) : undefined
}

/** Whose letters they are, as their ids are reckoned from it. */
export const holderOf = (source: LetterSource): string => (isQueue(source) ? idOf(source) : keyOf(source))

/** What metrics call it. */
export const labelsOf = (source: LetterSource) => {
  const { namespace, name } = source.metadata
  return isQueue(source) ? { namespace, queue: name } : { namespace, subscription: name }
}

export const isQueue = (source: LetterSource): source is Queue => source.kind === queue.kind
