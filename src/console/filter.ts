import { listParameters, momentOf, selectorIn, timeParameters } from '../api/letter-query.ts'

export const filterNames: readonly string[] = [...Object.keys(listParameters), ...Object.keys(timeParameters)]

/** The filter in the parameters of a page or a form, and nothing else of them; what is empty says nothing. */
export const filterIn = (given: URLSearchParams, nowMs: number): URLSearchParams => {
  const filter = new URLSearchParams()
  for (const name of filterNames) {
    for (const value of given.getAll(name)) {
      const text = value.trim()
      if (text !== '') filter.append(name, name in timeParameters ? momentOf(text, nowMs) : text)
    }
  }
  return filter
}

export type Selector = Readonly<Record<string, unknown>>

/** What a filter means as the selector of a job: everything, where it says nothing. */
export const selectorOf = (filter: URLSearchParams): Selector => {
  const names = [...new Set(filter.keys())]
  // A selector has each value once.
  const distinct = names.flatMap((name) =>
    [...new Set(filter.getAll(name))].map((value) => [name, value] as [string, string]),
  )
  const selector = selectorIn(new URLSearchParams(distinct))
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
