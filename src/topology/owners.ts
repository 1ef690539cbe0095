import { ownerArgument } from './names.ts'
import type { Observed } from './topology.ts'

/** The owner of each object on the broker, by `exchange shop.orders` or `queue shop.work`. */
export type Owners = ReadonlyMap<string, string>

/** The owners on a broker that was not observed yet. */
export const noOwners: Owners = new Map()

/** The owners that the objects of a virtual host name. */
export const ownersOf = ({ exchanges, queues }: Pick<Observed, 'exchanges' | 'queues'>): Owners =>
  new Map([...exchanges.map(owned('exchange')), ...queues.map(owned('queue'))])

const owned =
  (what: string) =>
  ({ name, arguments: args }: Observed['queues'][number] | Observed['exchanges'][number]): [string, string] => [
    `${what} ${name}`,
    String(args[ownerArgument]),
  ]

/**
 * Those that own what they name, then the others, each in the order they came in. Age alone would take an object from its
 * owner where ages are lost, as those of files are with every start.
 */
export const holdersFirst = <T>(
  list: readonly T[],
  owners: Owners,
  named: (one: T) => { readonly object: string; readonly owner: string },
): readonly T[] => {
  const isHolder = (one: T): boolean => {
    const { object, owner } = named(one)
    return owners.get(object) === owner
  }
  return [...list.filter(isHolder), ...list.filter((one) => !isHolder(one))]
}
