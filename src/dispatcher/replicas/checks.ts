/** Whether a value that somebody sent is what was agreed on. */
export type Check<T> = (value: unknown) => value is T

export const isText = (value: unknown): value is string => typeof value === 'string'
export const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'
/** A number of things, or a time in ms since 1970. */
export const isCount = (value: unknown): value is number => Number.isFinite(value) && Number(value) >= 0

export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value): value is T | undefined =>
    value === undefined || check(value)

export const oneOf =
  <T>(...values: readonly T[]): Check<T> =>
  (value): value is T =>
    values.some((each) => each === value)

export const listOf =
  <T>(check: Check<T>): Check<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.every(check)

/** An object with these members. What else it has is let pass: a newer version may have more to say. */
export const shape = <T extends object>(checks: { readonly [K in keyof T]-?: Check<T[K]> }): Check<T> => {
  const members = Object.entries<Check<unknown>>(checks)
  return (value): value is T =>
    typeof value === 'object' && value !== null && members.every(([name, check]) => check(Reflect.get(value, name)))
}
