import { isObject } from '../../api/schema/json.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * Merges what several managers applied into one status, as server-side apply does: maps key by key, `conditions` by their
 * type, other lists and scalars as a whole. Where two managers set the same field, the later in the list wins.
 */
export const mergeStatuses = (statuses: readonly Json[]): Json => statuses.reduce(merged, {})

const merged = (below: Json, above: Json): Json => {
  const result: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const before = result[key]
    if (key === 'conditions' && Array.isArray(before) && Array.isArray(value)) result[key] = byType(before, value)
    else result[key] = isObject(before) && isObject(value) ? merged(before, value) : value
  }
  return result
}

type Typed = { readonly type: string }

const byType = (below: readonly Typed[], above: readonly Typed[]): readonly Typed[] => [
  ...new Map([...below, ...above].map((condition) => [condition.type, condition])).values(),
]
