import type { Queue } from '../api/kinds/queue.ts'
import type { Subscription } from '../api/kinds/subscription.ts'
import type { Problem } from '../api/schema/problem.ts'

/**
 * Binding keys of a resource that are valid, and hardly what was meant: in `order*` the star is a letter like any other, for
 * only a whole word is a wildcard; and `order.**` matches the word `**` alone.
 */
export const doubtfulKeys = ({ spec }: Pick<Queue, 'spec'> | Pick<Subscription, 'spec'>): readonly Problem[] => {
  const lists: readonly (readonly [string, readonly string[]])[] =
    'subscriber' in spec
      ? [['spec.filter.routingKeys', spec.filter.routingKeys]]
      : (spec.bindings ?? []).map(({ routingKeys }, at) => [`spec.bindings[${at}].routingKeys`, routingKeys] as const)
  return lists.flatMap(([field, keys]) =>
    keys.flatMap((key, at) => {
      const word = key.split('.').find((one) => one.length > 1 && /[*#]/.test(one))
      const message = `${key} matches the word ${word} alone: * and # stand for words only as a word of their own, as in order.* or order.#`
      return word === undefined ? [] : [{ field: `${field}[${at}]`, message }]
    }),
  )
}
