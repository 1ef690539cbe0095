import { type Change, objectOf, type Planned } from '../../topology/change.ts'
import { bindingKey, type Observed, policyKey } from '../../topology/topology.ts'

/** The identity of everything that a virtual host holds, to tell later what went missing. */
export const keysOf = (observed: Observed): ReadonlySet<string> =>
  new Set([
    ...observed.exchanges.map(({ name }) => `exchange ${name}`),
    ...observed.queues.map(({ name }) => `queue ${name}`),
    ...observed.bindings.map((binding) => `binding ${bindingKey(binding)}`),
    ...observed.policies.map((policy) => `policy ${policyKey(policy)}`),
  ])

/** The changes that repair what was there at the last observation: somebody else changed it. */
export const drifted = (planned: readonly Planned[], lastSeen: ReadonlySet<string>) =>
  planned.flatMap(({ owner, change }) => {
    const key = keyMadeBy(change)
    return key !== undefined && lastSeen.has(key) ? [{ owner, change, kind: objectOf(change).kind }] : []
  })

const keyMadeBy = (change: Change): string | undefined => {
  switch (change.do) {
    case 'declare-exchange':
      return `exchange ${change.exchange.name}`
    case 'declare-queue':
      return `queue ${change.queue.name}`
    case 'bind':
      return `binding ${bindingKey(change.binding)}`
    case 'put-policy':
      return `policy ${policyKey(change.policy)}`
    default:
      return undefined
  }
}
