import { isTrue } from '../api/conditions.ts'
import type { Resource } from '../api/resource.ts'
import { ownerArgument } from './names.ts'
import type { Observed } from './topology.ts'

/** Every object on the broker, by `exchange shop.orders` or `queue shop.work`, with its owner, if it has one. */
export type Owners = ReadonlyMap<string, string | undefined>

/** The owners on a broker that was not observed yet. */
export const noOwners: Owners = new Map()

/** The owners that the objects of a virtual host name. */
export const ownersOf = ({ exchanges, queues }: Pick<Observed, 'exchanges' | 'queues'>): Owners =>
  new Map([...exchanges.map(owned('exchange')), ...queues.map(owned('queue'))])

const owned =
  (what: string) =>
  ({ name, arguments: args }: Observed['queues'][number] | Observed['exchanges'][number]) => {
    const owner = args[ownerArgument]
    return [`${what} ${name}`, owner === undefined ? undefined : String(owner)] as const
  }

/** A resource that asks for an object by a name. */
export type Ask = {
  readonly resource: Resource
  readonly owner: string
  /** `exchange shop.orders` */
  readonly object: string
  readonly adopt: boolean
  /** Whether the name is one that its author chose. */
  readonly chosen: boolean
}

/**
 * Whether the object is the resource's already: the broker says so. While the broker was not observed it is whose it was when
 * it was last observed, so that nobody is refused for what only the broker can show.
 */
export const holds = ({ resource, owner, object }: Omit<Ask, 'adopt' | 'chosen'>, owners: Owners): boolean =>
  owners === noOwners ? isTrue(resource.status?.conditions, 'Accepted') : owners.get(object) === owner

/** Whether nobody owns the object, so that it can be adopted. */
export const isNobodys = (object: string, owners: Owners): boolean =>
  owners === noOwners || (owners.has(object) && owners.get(object) === undefined)

/**
 * In the order in which they get what they ask for: who owns it on the broker; who adopts what nobody owns; whose name it is;
 * who chose it. Among equals the order they came in decides. Age alone would take an object from its owner where ages are
 * lost, as those of files are with every start, or give it to a stranger who came first.
 */
export const byClaim = <T>(list: readonly T[], owners: Owners, askedBy: (one: T) => Ask): readonly T[] => {
  const rank = (one: T): number => {
    const asked = askedBy(one)
    if (holds(asked, owners)) return 0
    if (asked.adopt && isNobodys(asked.object, owners)) return 1
    return asked.chosen ? 3 : 2
  }
  return list.toSorted((a, b) => rank(a) - rank(b))
}
