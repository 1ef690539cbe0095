import { listParameters, selectorIn, timeParameters } from '../../api/letter-query.ts'
import type { Selector } from './select.ts'
import { isMasked } from './shown.ts'

/** Which dead letters are asked for, and how many at most. */
export type LetterFilter = { readonly selector: Selector; readonly limit: number }

type Shape = { readonly pattern: RegExp; readonly text: string }

const text: Shape = { pattern: /^.{1,1024}$/s, text: 'must have 1 to 1024 characters' }

/** What each value of the parameters that may be given again is like. */
const shapes: Readonly<Record<keyof typeof listParameters, Shape>> = {
  group: { pattern: /^[a-z2-7]{10}$/, text: 'must be a group as the list shows it' },
  reason: text,
  status: {
    pattern: /^[1-9](\d\d|xx)$/,
    text: 'must be a status code such as 503, or a class such as 5xx',
  },
  type: text,
  id: { pattern: /^[a-z2-7]{16}$/, text: 'must be an id as the list shows it' },
}
const times = Object.keys(timeParameters)
const singles = [...times, 'limit']
const names: readonly string[] = [...Object.keys(listParameters), 'header', ...singles]
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
  const badList = listProblem(query)
  if (badList !== undefined) return { problem: badList }
  const limit = limitOf(query.get('limit'), limits)
  if (limit === undefined) return { problem: `limit must be a number from 1 to ${limits.most}` }
  const problem = timeProblem(query) ?? headerProblem(query)
  if (problem !== undefined) return { problem }
  const selector = selectorIn(query)
  return { selector: { ...selector, all: Object.keys(selector).length === 0 }, limit }
}

const listProblem = (query: URLSearchParams): string | undefined => {
  for (const [name, { pattern, text }] of Object.entries(shapes)) {
    const values = query.getAll(name)
    const bad = values.find((value) => !pattern.test(value))
    if (bad !== undefined) return `${name} ${text}, found ${JSON.stringify(bad.slice(0, 64))}`
    if (values.length > mostValues) return `${name} may be given ${mostValues} times`
  }
  return undefined
}

const limitOf = (found: string | null, { usual, most }: { readonly usual: number; readonly most: number }) => {
  const limit = found === null ? usual : Number(/^\d{1,9}$/.test(found) ? found : Number.NaN)
  return limit >= 1 && limit <= most ? limit : undefined
}

/** All headers must hold. Whether a value is the one that is not shown, nobody may try out. */
const headerProblem = (query: URLSearchParams): string | undefined => {
  const seen = new Set<string>()
  const found = query.getAll('header')
  if (found.length > mostHeaders) return `header may be given ${mostHeaders} times`
  for (const text of found) {
    const [, name] = /^([^=]{1,255})=.{0,1024}$/s.exec(text) ?? []
    if (name === undefined) return 'header must be NAME=VALUE'
    if (isMasked(name)) return `header ${JSON.stringify(name.slice(0, 64))} is not shown, nor compared`
    if (seen.has(name)) return `header ${JSON.stringify(name.slice(0, 64))} may be given once`
    seen.add(name)
  }
  return undefined
}

const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

const timeProblem = (query: URLSearchParams): string | undefined => {
  const bad = times.find((name) => {
    const found = query.get(name)
    return found !== null && !(isTime.test(found) && !Number.isNaN(Date.parse(found)))
  })
  return bad && `${bad} must be a time such as 2026-01-31T08:00:00Z`
}
