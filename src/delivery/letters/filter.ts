import type { Selector } from './select.ts'
import { isMasked } from './shown.ts'

/** Which dead letters are asked for, and how many at most. */
export type LetterFilter = { readonly selector: Selector; readonly limit: number }

type Parameter = { readonly field: 'groups' | 'reasons' | 'statusCodes' | 'types' | 'ids'; readonly shape: Shape }
type Shape = { readonly pattern: RegExp; readonly text: string }

const text: Shape = { pattern: /^.{1,1024}$/s, text: 'must have 1 to 1024 characters' }

/** The parameters that may be given again: of each one, any value is meant. */
const lists: Readonly<Record<string, Parameter>> = {
  group: { field: 'groups', shape: { pattern: /^[a-z2-7]{10}$/, text: 'must be a group as the list shows it' } },
  reason: { field: 'reasons', shape: text },
  status: {
    field: 'statusCodes',
    shape: { pattern: /^[1-9](\d\d|xx)$/, text: 'must be a status code such as 503, or a class such as 5xx' },
  },
  type: { field: 'types', shape: text },
  id: { field: 'ids', shape: { pattern: /^[a-z2-7]{16}$/, text: 'must be an id as the list shows it' } },
}
const singles = ['since', 'until', 'limit'] as const
const names: readonly string[] = [...Object.keys(lists), 'header', ...singles]
const mostHeaders = 16
const mostValues = 1_000

type Problem = { readonly problem: string }

/**
 * Reads a filter from the parameters of a query; all that is given must hold. What is not known, not of its form or empty is
 * refused: a filter that is ignored would select everything.
 */
export const filterOf = (
  query: URLSearchParams,
  limits: { readonly usual: number; readonly most: number },
): LetterFilter | Problem => {
  for (const name of new Set(query.keys())) {
    if (!names.includes(name)) return { problem: `unknown parameter ${JSON.stringify(name)}: use ${names.join(', ')}` }
  }
  const again = singles.find((name) => query.getAll(name).length > 1)
  if (again !== undefined) return { problem: `${again} may be given once` }
  const given: Record<string, readonly string[]> = {}
  for (const [name, { field, shape }] of Object.entries(lists)) {
    const values = query.getAll(name)
    const bad = values.find((value) => !shape.pattern.test(value))
    if (bad !== undefined) return { problem: `${name} ${shape.text}, found ${JSON.stringify(bad.slice(0, 64))}` }
    if (values.length > mostValues) return { problem: `${name} may be given ${mostValues} times` }
    if (values.length > 0) given[field] = values
  }
  const limit = limitOf(query.get('limit'), limits)
  if (limit === undefined) return { problem: `limit must be a number from 1 to ${limits.most}` }
  const times = timesOf(query)
  if ('problem' in times) return times
  const headers = headersOf(query)
  if ('problem' in headers) return headers
  const deadLettered = Object.keys(times).length > 0 ? { deadLettered: times } : {}
  const selector = { ...given, ...deadLettered, ...headers }
  return { selector: { ...selector, all: Object.keys(selector).length === 0 }, limit }
}

const limitOf = (found: string | null, { usual, most }: { readonly usual: number; readonly most: number }) => {
  const limit = found === null ? usual : Number(/^\d{1,9}$/.test(found) ? found : Number.NaN)
  return limit >= 1 && limit <= most ? limit : undefined
}

/** `header=NAME=VALUE`, all of which must hold. Whether a value is the one that is not shown, nobody may try out. */
const headersOf = (query: URLSearchParams): Pick<Selector, 'headers'> | Problem => {
  const headers: Record<string, string> = Object.create(null)
  const found = query.getAll('header')
  if (found.length > mostHeaders) return { problem: `header may be given ${mostHeaders} times` }
  for (const text of found) {
    const [, name, value] = /^([^=]{1,255})=(.{0,1024})$/s.exec(text) ?? []
    if (name === undefined || value === undefined) return { problem: 'header must be NAME=VALUE' }
    if (isMasked(name)) return { problem: `header ${JSON.stringify(name.slice(0, 64))} is not shown, nor compared` }
    if (name in headers) return { problem: `header ${JSON.stringify(name.slice(0, 64))} may be given once` }
    headers[name] = value
  }
  return found.length > 0 ? { headers } : {}
}

const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

const timesOf = (query: URLSearchParams): NonNullable<Selector['deadLettered']> | Problem => {
  const times: { notBefore?: string; notAfter?: string } = {}
  for (const [name, field] of [
    ['since', 'notBefore'],
    ['until', 'notAfter'],
  ] as const) {
    const found = query.get(name)
    if (found === null) continue
    const isValid = isTime.test(found) && !Number.isNaN(Date.parse(found))
    if (!isValid) return { problem: `${name} must be a time such as 2026-01-31T08:00:00Z` }
    times[field] = found
  }
  return times
}
