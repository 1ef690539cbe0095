import { kinds } from '../../api/kinds/kinds.ts'
import { identifiedBy } from '../../api/resource.ts'
import type { Store } from '../../store/store.ts'

/**
 * Whether the resource of an owner of this instance is there or may be: also one that another Broker on the same virtual host
 * has, one with a dangling reference, one that is not valid, and one that cannot be read, as of a kind that is not known.
 */
export const livingIn =
  (store: Pick<Store, 'mayExist'>, instance: string) =>
  (owner: string): boolean => {
    const [name, namespace, resource] = identifiedBy(owner.slice(instance.length + 1))
    const kind = kinds.find((each) => each.kind === name)
    return kind === undefined || store.mayExist(kind, namespace, resource)
  }
