import type { Planned } from './change.ts'
import type { Desired } from './desired.ts'
import { exactlyEach, policyName, sealPart } from './names.ts'
import type { Observed, Policy } from './topology.ts'

/** Policies that keep out of queues that are about to go what arrives by the default exchange, which knows no bindings. */
export type Seals = {
  /** Queues that a policy on the broker keeps closed, and will. */
  readonly closed: ReadonlySet<string>
  /** Take the policies away that nobody needs any more, and put those that are missing. */
  readonly changes: readonly Planned[]
}

/**
 * What closes the queues `going`, and opens all others. RabbitMQ matches every policy against every queue whenever one
 * changes, so many queues share one policy: one for each of a thousand queues would take minutes.
 */
export const seals = (wanted: Desired, { policies, queues }: Observed, going: ReadonlySet<string>): Seals => {
  const owner = wanted.broker
  const found = policies.filter(({ name }) => name.startsWith(policyName(owner, `${sealPart}:`)))
  const staying = [...wanted.queues.map(({ want }) => want), ...queues].filter(({ name }) => !going.has(name))
  const closed = new Set<string>()
  const known = new Set<string>()
  const drops: Planned[] = []
  for (const { name, pattern } of found) {
    const matches = new RegExp(pattern)
    const held = [...going].filter((queue) => matches.test(queue))
    for (const queue of held) known.add(queue)
    // One that is wanted again is let out at once. Those that were with it are closed by the next look, and wait anew.
    if (held.length === 0 || staying.some((queue) => matches.test(queue.name)))
      drops.push({ owner, change: { do: 'delete-policy', policy: name } })
    else for (const queue of held) closed.add(queue)
  }
  const puts = exactlyEach([...going].filter((queue) => !known.has(queue))).map(({ first, pattern }): Planned => {
    const policy = { ...closing, name: policyName(owner, `${sealPart}:${first}`), pattern }
    return { owner, change: { do: 'put-policy', policy } }
  })
  return { closed, changes: [...drops, ...puts] }
}

const closing = {
  applyTo: 'queues',
  priority: 1000,
  definition: { 'max-length': 0, overflow: 'reject-publish' },
} as const satisfies Partial<Policy>
