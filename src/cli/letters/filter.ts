import { milliseconds } from '../../api/duration.ts'
import { isDuration } from '../../api/schema/fields.ts'
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

const lists = ['group', 'reason', 'status', 'type', 'id', 'header'] as const

/** The first option that selects among the letters; `undefined` where all are meant. */
export const filterIn = (options: FilterOptions): string | undefined =>
  [...lists, 'since' as const, 'until' as const, 'limit' as const].find((each) => options[each] !== undefined)

/** The filter as the parameters of a query. @throws Failure */
export const queryOf = (options: FilterOptions, nowMs: number): URLSearchParams => {
  const query = new URLSearchParams()
  for (const name of lists) for (const value of options[name] ?? []) query.append(name, value)
  for (const name of ['since', 'until'] as const) {
    const text = options[name]
    if (text !== undefined) query.append(name, timeOf(name, text, nowMs))
  }
  if (options.limit !== undefined) query.append('limit', options.limit)
  return query
}

/** The filter as the selector of a Replay or Discard; without fields where nothing is asked for. @throws Failure */
export const selectorOf = (options: FilterOptions, nowMs: number): Readonly<Record<string, unknown>> => {
  const { group, reason, status, type, id, header, since, until } = options
  const deadLettered = {
    ...(since === undefined ? {} : { notBefore: timeOf('since', since, nowMs) }),
    ...(until === undefined ? {} : { notAfter: timeOf('until', until, nowMs) }),
  }
  return {
    ...(group ? { groups: group } : {}),
    ...(reason ? { reasons: reason } : {}),
    ...(status ? { statusCodes: status } : {}),
    ...(type ? { types: type } : {}),
    ...(id ? { ids: id } : {}),
    ...(header ? { headers: Object.fromEntries(header.map(headerOf)) } : {}),
    ...(Object.keys(deadLettered).length > 0 ? { deadLettered } : {}),
  }
}

const headerOf = (text: string): [name: string, value: string] => {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}

/** A time, or how long ago it was. */
const timeOf = (name: string, text: string, nowMs: number): string => {
  if (isDuration(text)) return new Date(nowMs - milliseconds(text)).toISOString()
  const time = Date.parse(text)
  if (!Number.isNaN(time)) return new Date(time).toISOString()
  const message = `--${name} must be a duration such as 2h, or a time such as 2026-01-31T08:00:00Z, found "${text}"`
  throw new Failure(message, { exitCode: exits.usage })
}
