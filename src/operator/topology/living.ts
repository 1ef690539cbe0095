import { kinds } from '../../api/kinds/kinds.ts'
import type { Kind } from '../../api/resource.ts'
import type { Store } from '../../store/store.ts'
import { ownerOf } from '../../topology/names.ts'

/**
 * The owners of all resources that there are: also of those that another Broker on the same virtual host has, and of those with a
 * dangling reference.
 */
export const livingOwners = (store: Store, instance: string): ReadonlySet<string> =>
  new Set(kinds.flatMap((kind) => store.list<Kind>(kind)).map((each) => ownerOf(instance, each)))
