/** JSON of more characters than this is not read whole: it takes tens of milliseconds. */
export const longText = 1024 * 1024

/** A member of a JSON object, by where its value lies in the text. */
export type Member = { readonly name: string; readonly start: number; readonly end: number }

/**
 * The members of a JSON object, in order, without reading their values: strings end, brackets are balanced, and what is
 * between them is not looked at. So it is cheap for long documents. `undefined` where the text is not one such object.
 */
export const membersOf = (json: string): Member[] | undefined => {
  const members: Member[] = []
  let at = afterSpace(json, 0)
  if (json[at] !== '{') return undefined
  at = afterSpace(json, at + 1)
  if (json[at] === '}') return afterSpace(json, at + 1) === json.length ? members : undefined
  while (true) {
    const keyEnd = json[at] === '"' ? stringEnd(json, at) : 0
    const name = keyEnd === 0 ? undefined : parsed(json.slice(at, keyEnd))
    const colon = afterSpace(json, keyEnd)
    if (typeof name !== 'string' || json[colon] !== ':') return undefined
    const start = afterSpace(json, colon + 1)
    const end = valueEnd(json, start)
    if (end === 0) return undefined
    members.push({ name, start, end })
    at = afterSpace(json, end)
    if (json[at] === '}') return afterSpace(json, at + 1) === json.length ? members : undefined
    if (json[at] !== ',') return undefined
    at = afterSpace(json, at + 1)
  }
}

/**
 * The text of a member of a JSON object exactly as it is written: long numbers, the order of keys and escapes are kept, which
 * parsing would change. Of several members with the same name the last one counts, as with `JSON.parse`. `undefined` where
 * there is no such member.
 */
export const memberText = (json: string, name: string): string | undefined => {
  const member = membersOf(json)?.findLast((each) => each.name === name)
  return member && json.slice(member.start, member.end)
}

/** Whether a text has the brackets of one JSON object or array, and nothing around them but space. */
export const isBracketed = (json: string): boolean => {
  const start = afterSpace(json, 0)
  if (json[start] !== '{' && json[start] !== '[') return false
  const end = valueEnd(json, start)
  return end > 0 && afterSpace(json, end) === json.length
}

/** The value of a JSON text, or `undefined` where it is not valid. */
export const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    // The parser's message quotes the text, which must not be shown.
    return undefined
  }
}

const [quote, backslash, open, close, comma] = [0x22, 0x5c, 0x7b, 0x7d, 0x2c]
const [openArray, closeArray] = [0x5b, 0x5d]

const afterSpace = (json: string, start: number): number => {
  let at = start
  while (at < json.length && isSpace(json.charCodeAt(at))) at += 1
  return at
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/** The position after the string that begins at `start`; 0 where it does not end. Most are short, and not worth a search. */
const stringEnd = (json: string, start: number): number => {
  const near = Math.min(start + 64, json.length)
  let at = start + 1
  for (; at < near; at++) {
    const code = json.charCodeAt(at)
    if (code === quote) return at + 1
    if (code === backslash) at += 1
  }
  let end = json.indexOf('"', at)
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end + 1
}

const isEscaped = (json: string, at: number): boolean => {
  let backslashes = 0
  while (json.charCodeAt(at - 1 - backslashes) === backslash) backslashes += 1
  return backslashes % 2 === 1
}

/** The position after the value that begins at `start`; 0 where it does not end. */
const valueEnd = (json: string, start: number): number => {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code > openArray && (code | 0x20) < open) continue
    if (code === quote) {
      at = stringEnd(json, at) - 1
      if (at === -1) return 0
      if (depth === 0) return at + 1
    } else if (code === open || code === openArray) {
      depth += 1
    } else if (code === close || code === closeArray) {
      if (depth === 0) return endOfWord(start, at)
      depth -= 1
      if (depth === 0) return at + 1
    } else if (depth === 0 && (code === comma || isSpace(code))) {
      return endOfWord(start, at)
    }
  }
  return 0
}

/** A number or a word has at least one character. */
const endOfWord = (start: number, end: number): number => (end > start ? end : 0)
