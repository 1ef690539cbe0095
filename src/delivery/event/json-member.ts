/**
 * The text of a member of a JSON object exactly as it is written: long numbers, the order of keys and escapes are kept, which
 * parsing would change. `json` must be valid. Of several members with the same name the last one counts, as with
 * `JSON.parse`. `undefined` where there is no such member.
 */
export const memberText = (json: string, name: string): string | undefined => {
  let found: string | undefined
  let at = json.indexOf('{') + 1
  while (true) {
    const key = json.indexOf('"', at)
    if (key === -1) return found
    const keyEnd = stringEnd(json, key)
    const start = json.indexOf(':', keyEnd) + 1
    const end = valueEnd(json, start)
    if (JSON.parse(json.slice(key, keyEnd)) === name) found = json.slice(start, end).trim()
    at = end + 1
  }
}

/** The position after the string that begins at `start`. */
const stringEnd = (json: string, start: number): number => {
  let end = json.indexOf('"', start + 1)
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end + 1
}

const isEscaped = (json: string, at: number): boolean => {
  let backslashes = 0
  while (json[at - 1 - backslashes] === '\\') backslashes += 1
  return backslashes % 2 === 1
}

/** The position of the comma or brace that ends the value which begins at `start`. */
const valueEnd = (json: string, start: number): number => {
  const structural = /["[\]{},]/g
  structural.lastIndex = start
  let depth = 0
  for (let match = structural.exec(json); match !== null; match = structural.exec(json)) {
    const sign = match[0]
    if (sign === '"') structural.lastIndex = stringEnd(json, match.index)
    else if (sign === '{' || sign === '[') depth += 1
    else if (depth === 0) return match.index
    else if (sign !== ',') depth -= 1
  }
  return json.length
}
