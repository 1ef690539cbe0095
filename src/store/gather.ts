import { kinds } from '../api/kinds/kinds.ts'
import type { Resources } from '../api/kinds/resources.ts'
import type { Kind } from '../api/resource.ts'
import type { Store } from './store.ts'

/** Everything that the store has, at one moment. */
export const gather = (store: Pick<Store, 'list'>): Resources =>
  Object.fromEntries(kinds.map((kind) => [kind.plural, store.list<Kind>(kind)])) as unknown as Resources
