import { exactlyEach, policyName } from './names.ts'
import type { Arguments, Policy } from './topology.ts'

/** The limits of a dead-letter queue, as the definition of a policy. */
export type Retention = { readonly queue: string; readonly definition: Arguments }

/** The part of the name of a policy that limits dead-letter queues. */
export const retentionPart = 'dlq'

/** The priority of policies for single queues, above those for classes. */
export const queuePriority = 200

/**
 * The policies of one broker that limit dead-letter queues. Queues with the same limits share policies:
 * RabbitMQ matches every policy against every queue whenever one changes.
 */
export const retentionPolicies = (owner: string, retentions: readonly Retention[]): readonly Policy[] => {
  const alike = Map.groupBy(retentions, ({ definition }) => JSON.stringify(definition))
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

/** One name in 64, by the name alone: a queue that is added or removed changes the policy of its own group and no other. */
const startsGroup = (queue: string): boolean => {
  // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
  let hash = 0x811c9dc5
  for (let index = 0; index < queue.length; index += 1) hash = Math.imul(hash ^ queue.charCodeAt(index), 0x01000193)
  return hash >>> 26 === 0
}
