import type { Queue } from '../api/kinds/queue.ts'
import type { Subscription } from '../api/kinds/subscription.ts'
import type { Finding } from '../store/directory/finding.ts'
import type { Item } from '../store/directory/parse.ts'
import { doubtfulKeys } from '../topology/routing-keys.ts'

/** Binding keys with a wildcard that is none. */
export const doubtfulKeyFindings = (items: readonly Item[]): readonly Finding[] =>
  items.flatMap(({ id, content, file, lineOf }) => {
    if (content.is !== 'resource' || !['Queue', 'Subscription'].includes(content.kind.kind)) return []
    const spec = content.spec as Queue['spec'] | Subscription['spec']
    return doubtfulKeys({ spec } as Queue | Subscription).map((problem) => ({
      ...{ file, line: lineOf(problem.field), resource: id, problem },
    }))
  })
