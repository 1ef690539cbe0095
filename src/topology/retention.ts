import { exactlyEach, policyName } from './names.ts'
import type { Arguments, Policy } from './topology.ts'

/** What a dead-letter queue is to keep. */
export type Retention = { readonly queue: string; readonly definition: Arguments }

export const retentionPart = 'dlq'

/** Of policies for single queues, above those for classes. */
export const queuePriority = 200

/**
 * The policies of one broker that make dead-letter queues keep what they should. Queues that keep the same share some:
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

/** Of names alone, one in 64: a queue that comes or goes then changes the policy of its own group and no other. */
const startsGroup = (queue: string): boolean => {
  // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
  let hash = 0x811c9dc5
  for (let index = 0; index < queue.length; index += 1) hash = Math.imul(hash ^ queue.charCodeAt(index), 0x01000193)
  return hash >>> 26 === 0
}
