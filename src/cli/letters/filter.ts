import { type LetterQuery, listParameters, momentOf, selectorIn, timeParameters } from '../../api/letter-query.ts'
import { exits, Failure } from '../failure.ts'

/** The options that select dead letters; all that are given must hold. */
export type FilterOptions = {
  readonly group?: readonly string[]
  readonly reason?: readonly string[]
  readonly status?: readonly string[]
  readonly type?: readonly string[]
  readonly id?: readonly string[]
  /** `name=value` each. */
  readonly header?: readonly string[]
  readonly since?: string
  readonly until?: string
  readonly limit?: string
}

type Times = keyof typeof timeParameters
const times = Object.keys(timeParameters) as Times[]
const lists = [...(Object.keys(listParameters) as (keyof typeof listParameters)[]), 'header' as const]

/** The first option that selects among the letters; `undefined` where all are meant. */
export const filterIn = (options: FilterOptions): string | undefined =>
  [...lists, ...times, 'limit' as const].find((each) => options[each] !== undefined)

/** The filter as the parameters of a query. @throws Failure */
export const queryOf = (options: FilterOptions, nowMs: number): URLSearchParams => {
  const query = new URLSearchParams()
  for (const name of lists) for (const value of options[name] ?? []) query.append(name, value)
  for (const name of times) {
    const text = options[name]
    if (text !== undefined) query.append(name, timeOf(name, text, nowMs))
  }
  if (options.limit !== undefined) query.append('limit', options.limit)
  return query
}

/** The filter as the selector of a Replay or Discard; without fields where nothing is asked for. @throws Failure */
export const selectorOf = ({ limit: _, ...options }: FilterOptions, nowMs: number): LetterQuery =>
  selectorIn(queryOf(options, nowMs))

/** A time, or how long ago it was. */
const timeOf = (name: string, text: string, nowMs: number): string => {
  const time = Date.parse(momentOf(text, nowMs))
  if (!Number.isNaN(time)) return new Date(time).toISOString()
  const message = `--${name} must be a duration such as 2h, or a time such as 2026-01-31T08:00:00Z, found "${text}"`
  throw new Failure(message, { exitCode: exits.usage })
}
