/** A larger body is not read. */
const mostBytes = 1024 * 1024

/**
 * A JSON body without the values at these JSON pointers (RFC 6901, where `*` is every element or member); the same bytes where
 * there are none. `undefined` where it cannot be read.
 */
export const redactedJson = (content: Buffer, pointers: readonly string[], instead: string): Buffer | undefined => {
  if (content.length > mostBytes) return undefined
  try {
    const found: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content))
    return withoutPlaces(found, pointers, instead) ? Buffer.from(JSON.stringify(found)) : content
  } catch {
    // Also where it is nested too deep to be written.
    return undefined
  }
}

type Holder = Record<string, unknown>

/** Whether there was something to withhold. */
const withoutPlaces = (found: unknown, pointers: readonly string[], instead: string): boolean => {
  let isChanged = false
  const withhold = (holder: Holder, name: string): void => {
    holder[name] = instead
    isChanged = true
  }
  for (const path of pointers.map(pathOf)) {
    visit(found, path, withhold)
    if (isEvent(found)) visit(found.data, path, withhold)
  }
  // Its bytes are in a text of which no place can be named.
  if (isEvent(found) && 'data_base64' in found) withhold(found, 'data_base64')
  return isChanged
}

const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null

/** A CloudEvent in structured mode: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md */
const isEvent = (value: unknown): value is Holder => isHolder(value) && 'specversion' in value

const pathOf = (pointer: string): string[] =>
  pointer
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))

const visit = (value: unknown, path: readonly string[], withhold: (holder: Holder, name: string) => void): void => {
  const [name, ...rest] = path
  if (name === undefined || !isHolder(value)) return
  for (const each of name === '*' ? Object.keys(value) : Object.hasOwn(value, name) ? [name] : []) {
    if (rest.length === 0) withhold(value, each)
    else visit(value[each], rest, withhold)
  }
}
