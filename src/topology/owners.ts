import { ownerArgument } from './names.ts'
import type { Observed } from './topology.ts'

/** Who has what on the broker: claims by object, `exchange shop.orders` or `queue shop.work`. */
export type Claims = ReadonlyMap<string, string>

export const noClaims: Claims = new Map()

export const claimsOf = ({ exchanges, queues }: Pick<Observed, 'exchanges' | 'queues'>): Claims =>
  new Map([...exchanges.map(claimed('exchange')), ...queues.map(claimed('queue'))])

const claimed =
  (what: string) =>
  ({ name, arguments: args }: Observed['queues'][number] | Observed['exchanges'][number]): [string, string] => [
    `${what} ${name}`,
    String(args[ownerArgument]),
  ]

/**
 * Those that have what they name, then the others, each in the order they came in. Age alone would turn out who has it
 * where ages are lost, as those of files are with every start.
 */
export const holdersFirst = <T>(
  list: readonly T[],
  claims: Claims,
  named: (one: T) => { readonly object: string; readonly claim: string },
): readonly T[] => {
  const isHolder = (one: T): boolean => {
    const { object, claim } = named(one)
    return claims.get(object) === claim
  }
  return [...list.filter(isHolder), ...list.filter((one) => !isHolder(one))]
}
