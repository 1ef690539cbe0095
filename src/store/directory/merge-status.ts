type Json = Readonly<Record<string, unknown>>

/**
 * One status out of what several managers applied, as server-side apply merges it: maps key by key, `conditions` by
 * their type, other lists and scalars as a whole. Where two claim the same, the later in the list has it.
 */
export const mergeStatuses = (statuses: readonly Json[]): Json => statuses.reduce(merged, {})

const merged = (below: Json, above: Json): Json => {
  const result: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const before = result[key]
    if (key === 'conditions' && Array.isArray(before) && Array.isArray(value)) result[key] = byType(before, value)
    else result[key] = isMap(before) && isMap(value) ? merged(before, value) : value
  }
  return result
}

type Typed = { readonly type: string }

const byType = (below: readonly Typed[], above: readonly Typed[]): readonly Typed[] => [
  ...new Map([...below, ...above].map((condition) => [condition.type, condition])).values(),
]

const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
