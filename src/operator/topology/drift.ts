import type { Change, Planned } from '../../topology/change.ts'
import { bindingKey } from '../../topology/diff.ts'
import type { Observed, Policy } from '../../topology/topology.ts'

export type ObjectKind = 'exchange' | 'queue' | 'binding' | 'policy'

/** The identity of everything that a virtual host holds, to tell later what went missing. */
export const keysOf = (observed: Observed): ReadonlySet<string> =>
  new Set([
    ...observed.exchanges.map(({ name }) => `exchange ${name}`),
    ...observed.queues.map(({ name }) => `queue ${name}`),
    ...observed.bindings.map((binding) => `binding ${bindingKey(binding)}`),
    ...observed.policies.map(policyKey),
  ])

/** The changes that repair what was there at the last look: somebody else changed it. */
export const drifted = (planned: readonly Planned[], lastSeen: ReadonlySet<string>) =>
  planned.flatMap(({ owner, change }) => {
    const made = madeBy(change)
    return made && lastSeen.has(made.key) ? [{ owner, change, kind: made.kind }] : []
  })

const madeBy = (change: Change): { kind: ObjectKind; key: string } | undefined => {
  switch (change.do) {
    case 'declare-exchange':
      return { kind: 'exchange', key: `exchange ${change.exchange.name}` }
    case 'declare-queue':
      return { kind: 'queue', key: `queue ${change.queue.name}` }
    case 'bind':
      return { kind: 'binding', key: `binding ${bindingKey(change.binding)}` }
    case 'put-policy':
      return { kind: 'policy', key: policyKey(change.policy) }
    default:
      return undefined
  }
}

/** A policy that a resource now wants otherwise did not drift, so what it says is part of the key. */
const policyKey = ({ name, pattern, applyTo, priority, definition }: Policy): string => {
  const entries = Object.entries(definition).sort(([a], [b]) => (a < b ? -1 : 1))
  return `policy ${JSON.stringify([name, pattern, applyTo, priority, entries])}`
}
