import { milliseconds } from './duration.ts'
import type { Replay } from './kinds/replay.ts'
import { isDuration } from './schema/fields.ts'

/** What a selector asks of dead letters, where it does not mean all of them. */
export type LetterQuery = Omit<Replay['spec']['selector'], 'all'>

/** The parameters of a query for dead letters that may be given again, and the field of a selector that each of them means. */
export const listParameters = {
  group: 'groups',
  reason: 'reasons',
  status: 'statusCodes',
  type: 'types',
  id: 'ids',
} as const
/** Those that are a moment. */
export const timeParameters = { since: 'notBefore', until: 'notAfter' } as const

/** What a query asks for; without fields where it asks for nothing. A header is `NAME=VALUE`. Nothing is checked. */
export const selectorIn = (query: URLSearchParams): LetterQuery => {
  const headers = Object.fromEntries(query.getAll('header').map(headerIn))
  const deadLettered = given(timeParameters, (name) => query.get(name) ?? undefined)
  return {
    ...given(listParameters, (name) => (query.has(name) ? query.getAll(name) : undefined)),
    ...(query.has('header') ? { headers } : {}),
    ...(Object.keys(deadLettered).length > 0 ? { deadLettered } : {}),
  }
}

/** The fields whose parameters have a value. */
const given = <T>(
  fields: Readonly<Record<string, string>>,
  read: (name: string) => T | undefined,
): Readonly<Record<string, T>> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      const value = read(name)
      return value === undefined ? [] : [[field, value]]
    }),
  )

const headerIn = (text: string): readonly [name: string, value: string] => {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}

/** The moment that was so long ago, where the text is a duration; else the text. */
export const momentOf = (text: string, nowMs: number): string =>
  isDuration(text) ? new Date(nowMs - milliseconds(text)).toISOString() : text
