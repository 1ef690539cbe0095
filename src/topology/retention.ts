import { exactlyEach, policyName } from './names.ts'
import type { Arguments, Policy } from './topology.ts'

/** The limits of a dead-letter queue, as the definition of a policy, or those that it has on the broker. */
export type Retention = { readonly queue: string; readonly definition: Arguments | 'as it is' }

/** The limits of a dead-letter queue. */
export type Limits = Retention & { readonly definition: Arguments }

/** The part of the name of a policy that limits dead-letter queues. */
export const retentionPart = 'dlq'

/** The priority of policies for single queues, above those for classes. */
export const queuePriority = 200

/**
 * The policies of one broker that limit dead-letter queues. Queues with the same limits share policies:
 * RabbitMQ matches every policy against every queue whenever one changes.
 */
export const retentionPolicies = (owner: string, retentions: readonly Limits[]): readonly Policy[] => {
  const alike = Map.groupBy(retentions, ({ definition }) => JSON.stringify(Object.entries(definition).sort()))
  return [...alike.values()].flatMap((group) =>
    exactlyEach(
      group.map(({ queue }) => queue),
      startsGroup,
    ).map(({ first, pattern }) => ({
      name: policyName(owner, `${retentionPart}:${first}`),
      pattern,
      applyTo: 'queues' as const,
      priority: queuePriority,
      definition: group[0]?.definition ?? {},
    })),
  )
}

/** With the limits that are on the broker for those that stay as they are; one that has none there has none. */
export const limitsOf = (
  owner: string,
  retentions: readonly Retention[],
  present: readonly Policy[],
): readonly Limits[] => {
  const prefix = policyName(owner, `${retentionPart}:`)
  const limiting = present.filter(({ name }) => name.startsWith(prefix))
  return retentions.flatMap(({ queue, definition }) => {
    if (definition !== 'as it is') return [{ queue, definition }]
    const found = limiting.find(({ pattern }) => new RegExp(pattern).test(queue))
    return found === undefined ? [] : [{ queue, definition: found.definition }]
  })
}

/** One name in 64, by the name alone: a queue that is added or removed changes the policy of its own group and no other. */
const startsGroup = (queue: string): boolean => {
  // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
  let hash = 0x811c9dc5
  for (let index = 0; index < queue.length; index += 1) hash = Math.imul(hash ^ queue.charCodeAt(index), 0x01000193)
  return hash >>> 26 === 0
}
