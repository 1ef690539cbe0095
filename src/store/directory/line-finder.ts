import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml'

/** The line, from 1, of a field such as `spec.bindings[0].topicRef`; where it is missing, of the object that would hold it. */
export type LineOf = (field: string) => number

type Step = { readonly node: unknown; readonly start: number | undefined; readonly rest: string }

/** Finds lines of fields in a YAML document. */
export const lineFinder =
  (root: Node, document: Document, lines: LineCounter): LineOf =>
  (field) => {
    let start = root.range?.[0]
    let step: Step | undefined = { node: root, start, rest: field }
    while (step !== undefined) {
      start = step.start ?? start
      step = step.rest === '' ? undefined : next(step.node, step.rest, document)
    }
    return lines.linePos(start ?? 0).line
  }

const next = (node: unknown, path: string, document: Document): Step | undefined => {
  if (isAlias(node)) return next(node.resolve(document), path, document)
  if (isSeq(node)) {
    const [whole, index] = /^\[(\d+)\]\.?/.exec(path) ?? []
    if (whole === undefined) return undefined
    const item = node.items[Number(index)]
    return { node: item, start: startOf(item), rest: path.slice(whole.length) }
  }
  if (!isMap(node)) return undefined
  // Keys may contain dots themselves (annotations do), so the longest key that fits is the right one.
  const fitting = node.items
    .flatMap((pair) => (isScalar(pair.key) ? [{ key: String(pair.key.value), pair }] : []))
    .filter(({ key }) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`))
    .sort((a, b) => b.key.length - a.key.length)[0]
  if (fitting === undefined) return undefined
  const { key, pair } = fitting
  return { node: pair.value, start: startOf(pair.key), rest: path.slice(key.length).replace(/^\./, '') }
}

const startOf = (node: unknown): number | undefined => (node as Node | null | undefined)?.range?.[0]
