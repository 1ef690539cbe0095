import { returnExchange } from '../names.ts'
import type { Arguments, Observed } from '../topology.ts'

/** What the policies in force on each queue say together, operator policies included. */
export const policiesOn = ({ states, policies }: Observed): ((queue: string) => Arguments) => {
  const definitions = new Map(policies.map(({ name, definition }) => [name, definition]))
  return (queue) => {
    const state = states.get(queue)
    if (state === undefined) return {}
    // Brokers before 4.0 say what is in force only where there are operator policies.
    return Object.keys(state.effective).length > 0 ? state.effective : (definitions.get(state.policy) ?? {})
  }
}

/** A queue that holds as many messages as a limit allows. */
export type FullQueue = {
  readonly name: string
  readonly messages: number
  readonly limit: number
  readonly by: string
}

/** Those of the queues named that are full by a limit of their arguments, a policy or an operator policy. */
export const fullAmong = (observed: Observed): ((names: Iterable<string>) => readonly FullQueue[]) => {
  const inForce = policiesOn(observed)
  const byName = new Map(observed.queues.map((queue) => [queue.name, queue]))
  return (names) =>
    [...names].flatMap((name) => {
      const [queue, state] = [byName.get(name), observed.states.get(name)]
      if (queue === undefined || state === undefined) return []
      const own = numberOf(queue.arguments['x-max-length'])
      const put = numberOf(inForce(name)['max-length'])
      const limit = Math.min(own, put)
      if (state.messages < limit) return []
      const policy = state.operatorPolicy === '' ? `policy ${state.policy}` : `operator policy ${state.operatorPolicy}`
      return [{ name, messages: state.messages, limit, by: own <= put ? 'its argument x-max-length' : policy }]
    })
}

/** `queue shop.work holds 5 messages, as many as operator policy small allows` */
export const fullText = ({ name, messages, by }: FullQueue): string =>
  `queue ${name} holds ${messages} messages, as many as ${by} allows`

/** The queues that messages come back to after a delay. */
export const returnTargets = ({ bindings }: Pick<Observed, 'bindings'>): ReadonlySet<string> =>
  new Set(bindings.flatMap(({ source, destination }) => (source === returnExchange ? [destination] : [])))

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : Number.POSITIVE_INFINITY)
