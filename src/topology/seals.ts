import type { Planned } from './change.ts'
import type { Desired } from './desired.ts'
import { exactlyEach, ownerOfPolicy, policyName, sealPart } from './names.ts'
import type { Observed, Policy } from './topology.ts'

/**
 * A seal is a policy that closes queues before they are deleted: what is published to them by the default exchange, which
 * needs no binding, is refused.
 */
export type Seals = {
  /** Queues that a seal on the broker closes, and that stay closed. */
  readonly closed: ReadonlySet<string>
  /** Delete the seals that are no longer needed, and put those that are missing. */
  readonly changes: readonly Planned[]
}

/**
 * Seals for the queues that are `going`, and for no others. RabbitMQ matches every policy against every queue whenever one
 * changes, so many queues share one policy: one for each of a thousand queues would take minutes.
 */
export const seals = (wanted: Desired, { policies, queues }: Observed, going: ReadonlySet<string>): Seals => {
  const owner = wanted.broker
  const found = policies.filter(({ name }) => name.startsWith(policyName(owner, `${sealPart}:`)))
  const staying = [...wanted.queues.map(({ want }) => want), ...queues].filter(({ name }) => !going.has(name))
  const closed = new Set<string>()
  const known = new Set<string>()
  const drops: Planned[] = []
  for (const { name, pattern, definition } of found) {
    const matches = new RegExp(pattern)
    const held = [...going].filter((queue) => matches.test(queue))
    for (const queue of held) known.add(queue)
    // A queue that is wanted again is opened at once. Those under the same seal are closed again by the next reconcile, and
    // have to be seen empty anew.
    const isOld = definition['max-length'] !== closing.definition['max-length']
    if (held.length === 0 || isOld || staying.some((queue) => matches.test(queue.name)))
      drops.push({ owner, change: { do: 'delete-policy', policy: name } })
    else for (const queue of held) closed.add(queue)
  }
  for (const { name, pattern } of policies) {
    if (!isStray(wanted, name)) continue
    const matches = new RegExp(pattern)
    if (wanted.queues.some(({ want }) => matches.test(want.name)))
      drops.push({ owner, change: { do: 'delete-policy', policy: name } })
  }
  const puts = exactlyEach([...going].filter((queue) => !known.has(queue))).map(({ first, pattern }): Planned => {
    const policy = { ...closing, name: policyName(owner, `${sealPart}:${first}`), pattern }
    return { owner, change: { do: 'put-policy', policy } }
  })
  return { closed, changes: [...drops, ...puts] }
}

/** The seal of another Broker of this installation, which may be long gone. What is wanted is not to be closed by it. */
const isStray = ({ instance, broker }: Desired, name: string): boolean =>
  isSeal(name) && name.startsWith(`${instance}:Broker/`) && ownerOfPolicy(name) !== broker

/** Whether a policy of this name closes queues; older versions called it a fence. */
export const isSeal = (name: string): boolean => sealParts.test(name)
const sealParts = new RegExp(`#(${sealPart}|fence):`)

const closing = {
  applyTo: 'queues',
  priority: 1000,
  definition: { 'max-length': 1, overflow: 'reject-publish' },
} as const satisfies Partial<Policy>

/** How many messages a sealed queue lets in: a quorum queue takes one more than its limit. `delete-empty.ts` puts in all of them. */
export const sealedLetsIn = closing.definition['max-length'] + 1
