/** What another process sent is not what was agreed on; the message says which member. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError'
  readonly expected: string
  /** Of the member: `observations[3].stats.delivered`; empty for the value itself. */
  readonly path: string

  constructor(expected: string, path = '') {
    super(`${path || 'The value'} is not ${expected}`)
    this.expected = expected
    this.path = path
  }
}

/** Reads a value that another process sent, as this version knows it. @throws UnreadableError */
export type Reader<T> = (value: unknown) => T

const reader =
  <T>(expected: string, is: (value: unknown) => value is T): Reader<T> =>
  (value) => {
    if (is(value)) return value
    throw new UnreadableError(expected)
  }

const isText = (value: unknown): value is string => typeof value === 'string'

export const text = reader('a text', isText)
export const flag = reader('true or false', (value): value is boolean => typeof value === 'boolean')
/** A number of things, or a time in ms since 1970. */
export const count = reader(
  'a number, not negative',
  (value): value is number => Number.isFinite(value) && Number(value) >= 0,
)

/** A member that not every replica sends, or not always; without it, its value is `otherwise`. */
export const optional =
  <T, Otherwise = undefined>(read: Reader<T>, otherwise?: Otherwise): Reader<T | Otherwise> =>
  (value) =>
    value === undefined ? (otherwise as Otherwise) : read(value)

/** One of these texts. A newer version may send another one, which is read as the first. */
export const oneOf =
  <T extends string>(first: T, ...others: readonly T[]): Reader<T> =>
  (value) => {
    const sent = text(value)
    return others.find((each) => each === sent) ?? first
  }

export const list =
  <T>(read: Reader<T>): Reader<readonly T[]> =>
  (value) => {
    if (!Array.isArray(value)) throw new UnreadableError('a list')
    return value.map((item, index) => readAt(`[${index}]`, read, item))
  }

/** An object of these members. Others that it has are ignored: a newer version may send more. */
export const object = <T extends object>(members: { readonly [K in keyof T]-?: Reader<T[K]> }): Reader<T> => {
  const readers = Object.entries<Reader<unknown>>(members)
  return (value) => {
    if (typeof value !== 'object' || value === null) throw new UnreadableError('an object')
    const read = readers.map(([name, each]) => [name, readAt(name, each, Reflect.get(value, name))] as const)
    return Object.fromEntries(read.filter(([, member]) => member !== undefined)) as T
  }
}

const readAt = <T>(name: string, read: Reader<T>, value: unknown): T => {
  try {
    return read(value)
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    const { expected, path } = error
    throw new UnreadableError(expected, path === '' || path.startsWith('[') ? `${name}${path}` : `${name}.${path}`)
  }
}
