import type { Letter } from './letter.ts'

/** Which dead letters are asked for. All that is given must hold; of a list, one. Times are in ms since 1970. */
export type LetterFilter = {
  readonly group: ReadonlySet<string>
  readonly reason: ReadonlySet<string>
  /** `503`, or `5xx` for all from 500 to 599. */
  readonly status: ReadonlySet<string>
  readonly type: ReadonlySet<string>
  readonly id: ReadonlySet<string>
  /** When it was dead-lettered: not before, and before. A letter that does not say when has neither. */
  readonly since: number | undefined
  readonly until: number | undefined
  /** At most so many letters. */
  readonly limit: number
}

const lists = ['group', 'reason', 'status', 'type', 'id'] as const
const times = ['since', 'until'] as const
const names: readonly string[] = [...lists, ...times, 'limit']
const mostValues = 1_000

const shapes: Readonly<Record<string, { readonly pattern: RegExp; readonly text: string }>> = {
  group: { pattern: /^[a-z2-7]{10}$/, text: 'must be a group as the list shows it' },
  status: { pattern: /^[1-9](\d\d|xx)$/, text: 'must be a status code such as 503, or a class such as 5xx' },
  id: { pattern: /^[a-z2-7]{16}$/, text: 'must be an id as the list shows it' },
}

export type LimitOf = { readonly limit: number; readonly most: number }

/**
 * Reads a filter from the parameters of a query. What is not known, not of its form or empty is refused: a filter that is
 * ignored would select everything.
 */
export const filterOf = (query: URLSearchParams, limits: LimitOf): LetterFilter | { readonly problem: string } => {
  for (const name of new Set(query.keys())) {
    if (!names.includes(name)) return { problem: `unknown parameter ${JSON.stringify(name)}: use ${names.join(', ')}` }
  }
  const found: Record<string, ReadonlySet<string>> = {}
  for (const name of lists) {
    const values = query.getAll(name)
    const shape = shapes[name] ?? { pattern: /^.{1,256}$/s, text: 'must have 1 to 256 characters' }
    const bad = values.find((value) => !shape.pattern.test(value))
    if (bad !== undefined) return { problem: `${name} ${shape.text}, found ${JSON.stringify(bad.slice(0, 64))}` }
    if (values.length > mostValues) return { problem: `${name} may be given ${mostValues} times` }
    found[name] = new Set(values)
  }
  const { since, until, limit, problem } = single(query, limits)
  if (problem !== undefined) return { problem }
  return { ...(found as Pick<LetterFilter, (typeof lists)[number]>), since, until, limit }
}

const single = (query: URLSearchParams, { limit: usual, most }: LimitOf) => {
  const again = [...times, 'limit'].find((name) => query.getAll(name).length > 1)
  if (again !== undefined) return { limit: 0, problem: `${again} may be given once` }
  const text = query.get('limit')
  const limit = text === null ? usual : Number(/^\d{1,9}$/.test(text) ? text : Number.NaN)
  if (!(limit >= 1 && limit <= most)) return { limit: 0, problem: `limit must be a number from 1 to ${most}` }
  const [since, until] = times.map((name) => timeOf(query.get(name)))
  const bad = Number.isNaN(since) ? 'since' : Number.isNaN(until) ? 'until' : undefined
  return { since, until, limit, problem: bad && `${bad} must be a time such as 2026-01-31T08:00:00Z` }
}

const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

const timeOf = (text: string | null): number | undefined =>
  text === null ? undefined : isTime.test(text) ? Date.parse(text) : Number.NaN

/** Whether a letter is one of those asked for. */
export const isWanted = (letter: Letter, filter: LetterFilter): boolean => {
  const { group, reason, status, type, id, since, until } = filter
  const { deadLettered, statusCode, eventType } = letter
  return (
    has(group, letter.group) &&
    has(reason, letter.reason) &&
    (has(status, statusCode?.toString()) || has(status, classOf(statusCode))) &&
    has(type, eventType) &&
    has(id, letter.id) &&
    (since === undefined || (deadLettered !== undefined && deadLettered >= since)) &&
    (until === undefined || (deadLettered !== undefined && deadLettered < until))
  )
}

const has = (wanted: ReadonlySet<string>, value: string | undefined): boolean =>
  wanted.size === 0 || (value !== undefined && wanted.has(value))

const classOf = (status: number | undefined): string | undefined =>
  status === undefined ? undefined : `${Math.floor(status / 100)}xx`
