import { type Change, objectOf, objectText, type Planned } from '../../topology/change.ts'
import { bindingKey, type Observed, policyKey } from '../../topology/topology.ts'

/** The identity of everything that a virtual host holds, to find later what is missing. */
export const keysOf = (observed: Observed): ReadonlySet<string> =>
  new Set([
    ...observed.exchanges.map(({ name }) => objectText({ kind: 'exchange', name })),
    ...observed.queues.map(({ name }) => objectText({ kind: 'queue', name })),
    ...observed.bindings.map((binding) => `binding ${bindingKey(binding)}`),
    ...observed.policies.map((policy) => `policy ${policyKey(policy)}`),
  ])

/** The changes that repair what was there at the last observation: somebody else changed it. */
export const drifted = (planned: readonly Planned[], lastSeen: ReadonlySet<string>) =>
  planned.flatMap(({ owner, change }) => {
    const key = keyMadeBy(change)
    return key !== undefined && lastSeen.has(key) ? [{ owner, change, kind: objectOf(change).kind }] : []
  })

/** Two bindings may have the same ends, and a policy that now says something else did not drift: names are not enough. */
const keyMadeBy = (change: Change): string | undefined => {
  if (change.do === 'bind') return `binding ${bindingKey(change.binding)}`
  if (change.do === 'put-policy') return `policy ${policyKey(change.policy)}`
  return change.do.startsWith('declare-') ? objectText(objectOf(change)) : undefined
}
