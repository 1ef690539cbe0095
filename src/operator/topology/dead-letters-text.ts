import type { DeadLettersStatus } from '../../api/kinds/status-dead-letters.ts'

/** What is in a dead-letter queue, by the groups that a dispatcher found when it looked last. */
export const deadLettersText = (
  queue: string,
  { groups = [], scanned = 0, others = 0 }: Partial<DeadLettersStatus> = {},
): string => {
  const holds = `${queue} holds undeliverable messages`
  const [most] = groups
  if (most === undefined) return holds
  const count =
    groups.length === 1 && others === 0 ? '1 group' : `${groups.length}${others > 0 ? ' and more' : ''} groups`
  const cause = [most.reason, most.statusCode].filter((part) => part !== undefined).join(' ')
  const since = most.first === undefined ? '' : ` since ${most.first}`
  return `${holds}: ${numbered(scanned)} in ${count}; most: ${cause}, ${numbered(most.count)}${since}`
}

const numbered = (count: number): string => count.toLocaleString('en')
