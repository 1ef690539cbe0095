import { ago } from '../../api/age.ts'
import { short, visible } from '../../api/visible.ts'
import type { ShownLetter } from '../../delivery/letters/shown.ts'

/** What letters have in common: as fields for programs, and as a row of a table. */
export type Part = {
  readonly fields: { readonly count: number } & Readonly<Record<string, unknown>>
  row(nowMs: number): Readonly<Record<string, string>>
}

/** The letters by their group, the largest first. */
export const causes = (letters: readonly ShownLetter[]): Part[] =>
  parts(
    letters,
    ({ group }) => group,
    (own, latest) => {
      const { group, reason, statusCode, error } = latest
      const types = namesOf(own.map(({ eventType }) => eventType))
      const fields = {
        group,
        reason,
        ...(statusCode === undefined ? {} : { statusCode }),
        error,
        types,
        ...spanOf(own),
      }
      return {
        fields,
        row: (nowMs) => ({
          COUNT: String(own.length),
          GROUP: group,
          REASON: visible(reason),
          STATUS: String(statusCode ?? ''),
          FIRST: ago(fields.first, nowMs),
          LAST: ago(fields.last, nowMs),
          TYPES: short(types.join(), 40),
          ERROR: short(error, 80),
        }),
      }
    },
  )

/** The letters by the type of their event, the largest first. */
export const types = (letters: readonly ShownLetter[]): Part[] =>
  parts(
    letters,
    ({ eventType }) => eventType ?? '',
    (own, { eventType: type }) => {
      const groups = namesOf(own.map(({ group }) => group))
      const fields = { ...(type === undefined ? {} : { type }), groups, ...spanOf(own) }
      return {
        fields,
        row: (nowMs) => ({
          COUNT: String(own.length),
          TYPE: type === undefined ? '(none)' : short(type, 60),
          FIRST: ago(fields.first, nowMs),
          LAST: ago(fields.last, nowMs),
          GROUPS: short(groups.join(), 80),
        }),
      }
    },
  )

const parts = (
  letters: readonly ShownLetter[],
  keyOf: (letter: ShownLetter) => string,
  partOf: (own: readonly ShownLetter[], latest: ShownLetter) => Part,
): Part[] =>
  [...Map.groupBy(letters, keyOf).values()]
    .flatMap((own) => own.slice(-1).map((latest) => partOf(own, latest)))
    .toSorted((a, b) => b.fields.count - a.fields.count)

const spanOf = (own: readonly ShownLetter[]) => {
  const times = own.flatMap(({ deadLettered }) => deadLettered ?? []).toSorted()
  const [first, last] = [times[0], times.at(-1)]
  return { count: own.length, ...(first === undefined ? {} : { first }), ...(last === undefined ? {} : { last }) }
}

const namesOf = (names: readonly (string | undefined)[]): string[] =>
  [...new Set(names.filter((name) => name !== undefined))].toSorted()
