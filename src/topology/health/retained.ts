import { delayPrefix, ownerArgument, returnExchange } from '../names.ts'
import type { Arguments, Observed } from '../topology.ts'

/** A queue or exchange that this instance declared for a resource that is not there any more. */
export type Retained = {
  readonly kind: 'queue' | 'exchange'
  readonly name: string
  /** The resource that it was declared for: `waybill:Subscription/shop/billing`. */
  readonly owner: string
  /** In a queue. */
  readonly messages: number
  /** How many there are is not known, as of a queue whose node is down. */
  readonly isUncounted?: true
  /** The exchanges from which messages still come into a queue; what comes back from a delay is not meant. */
  readonly from: readonly string[]
}

/**
 * What is retained on a broker, by kind and name. Nothing of it is changed: resources that are gone for a while, as in a restore, are
 * not to miss what is published meanwhile, and nobody's messages are deleted.
 */
export const retainedOn = (
  instance: string,
  { queues, exchanges, bindings, states }: Pick<Observed, 'queues' | 'exchanges' | 'bindings' | 'states'>,
  isLiving: (owner: string) => boolean,
): readonly Retained[] => {
  const sources = Map.groupBy(bindings, ({ destination }) => destination)
  const ownerWithout = (args: Arguments): string | undefined => {
    const owner = args[ownerArgument]
    return typeof owner === 'string' && owner.startsWith(`${instance}:`) && !isLiving(owner) ? owner : undefined
  }
  const found = [
    ...queues.flatMap(({ name, arguments: args }): Retained[] => {
      const owner = ownerWithout(args)
      if (owner === undefined) return []
      const from = new Set((sources.get(name) ?? []).map(({ source }) => source).filter(isFed))
      const state = states.get(name)
      const messages = state?.messages ?? 0
      const uncounted = state?.state === 'running' ? {} : ({ isUncounted: true } as const)
      return [{ kind: 'queue', name, owner, messages, ...uncounted, from: [...from].sort() }]
    }),
    ...exchanges.flatMap(({ name, arguments: args }): Retained[] => {
      const owner = ownerWithout(args)
      return owner === undefined ? [] : [{ kind: 'exchange', name, owner, messages: 0, from: [] }]
    }),
  ]
  // The broker lists in no order, and a status whose entries only changed places would be written again.
  return found.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
}

/** As a status lists it: `queue shop.work`. */
export const textOf = ({ kind, name }: Pick<Retained, 'kind' | 'name'>): string => `${kind} ${name}`

const isFed = (exchange: string): boolean => exchange !== returnExchange && !exchange.startsWith(delayPrefix)

/** What somebody should do something about: queues that fill, else those that hold messages. */
export const concerning = (
  retained: readonly Retained[],
): { readonly reason: 'StillBound' | 'Retained'; readonly message: string } | undefined => {
  const bound = retained.filter(({ from }) => from.length > 0)
  if (bound.length > 0) return { reason: 'StillBound', message: `${listed(bound)} and still bound: they fill. ${toDo}` }
  const holding = retained.filter(({ messages }) => messages > 0)
  return holding.length === 0
    ? undefined
    : { reason: 'Retained', message: `${listed(holding)}: they hold messages. ${toDo}` }
}

const toDo =
  'Create the resource again, and it has them, or have them removed, with waybill retained rm or the annotation waybill.dev/remove-retained'
const mostListed = 3

const listed = (queues: readonly Retained[]): string => {
  const some = queues.slice(0, mostListed).map(({ name, owner, from }) => {
    const source = from.length === 0 ? '' : `, from ${from.slice(0, mostListed).join(', ')}`
    return `${name} (of ${owner}${source})`
  })
  const more = queues.length > mostListed ? ` and ${queues.length - mostListed} more` : ''
  return `Queues without a resource: ${some.join(', ')}${more}`
}
