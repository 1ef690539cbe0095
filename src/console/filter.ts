import { milliseconds } from '../api/duration.ts'
import { isDuration } from '../api/schema/fields.ts'

/** The parameters of a list of dead letters that may be given several times, and what a selector calls them. */
const lists = { group: 'groups', reason: 'reasons', status: 'statusCodes', type: 'types', id: 'ids' } as const
const times = { since: 'notBefore', until: 'notAfter' } as const
export const filterNames: readonly string[] = [...Object.keys(lists), ...Object.keys(times)]

/** The filter in the parameters of a page or a form, and nothing else of them; what is empty says nothing. */
export const filterIn = (given: URLSearchParams, nowMs: number): URLSearchParams => {
  const filter = new URLSearchParams()
  for (const name of filterNames) {
    for (const value of given.getAll(name)) {
      const text = value.trim()
      if (text !== '') filter.append(name, name in times ? momentOf(text, nowMs) : text)
    }
  }
  return filter
}

/** A moment, where how long ago it was is given. */
const momentOf = (text: string, nowMs: number): string =>
  isDuration(text) ? new Date(nowMs - milliseconds(text)).toISOString() : text

export type Selector = Readonly<Record<string, unknown>>

/** What a filter means as the selector of a job: everything, where it says nothing. */
export const selectorOf = (filter: URLSearchParams): Selector => {
  const selector: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(lists)) {
    const values = [...new Set(filter.getAll(name))]
    if (values.length > 0) selector[field] = values
  }
  const deadLettered = Object.fromEntries(
    Object.entries(times).flatMap(([name, field]) => {
      const value = filter.get(name)
      return value === null ? [] : [[field, value]]
    }),
  )
  if (Object.keys(deadLettered).length > 0) selector.deadLettered = deadLettered
  return Object.keys(selector).length === 0 ? { all: true } : selector
}

/**
 * The selector of what was counted, and of nothing that came after: letters of given ids were there, all others must have been
 * dead-lettered before.
 */
export const asCounted = (selector: Selector, cutoff: string): Selector => {
  if (selector.ids !== undefined) return selector
  const { all: _, deadLettered, ...rest } = selector
  const { notBefore, notAfter } = (deadLettered ?? {}) as { notBefore?: string; notAfter?: string }
  const earlier = notAfter !== undefined && Date.parse(notAfter) < Date.parse(cutoff) ? notAfter : cutoff
  return { ...rest, deadLettered: { ...(notBefore === undefined ? {} : { notBefore }), notAfter: earlier } }
}
