import type { Manifest } from '../support/chart.ts'

/**
 * The differences between two renderings: `+Kind/name` and `-Kind/name` for whole objects, else `Kind/name path:
 * value`, with the value as JSON, or empty if it was removed. Items of a list that have a name are named in the path.
 */
export const changes = (before: readonly Manifest[], after: readonly Manifest[]): string[] => {
  const old = new Map(before.map((manifest) => [nameOf(manifest), manifest]))
  const now = new Map(after.map((manifest) => [nameOf(manifest), manifest]))
  return [
    ...[...old.keys()].filter((name) => !now.has(name)).map((name) => `-${name}`),
    ...[...now.keys()].filter((name) => !old.has(name)).map((name) => `+${name}`),
    ...[...now].flatMap(([name, manifest]) => {
      const known = old.get(name)
      return known === undefined ? [] : differing(known, manifest).map((line) => `${name} ${line}`)
    }),
  ].sort()
}

export const nameOf = ({ kind, metadata: { namespace, name } }: Manifest): string =>
  namespace === undefined || namespace === 'waybill' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`

const differing = (before: unknown, after: unknown, path = ''): string[] => {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  if (!isTree(before) || !isTree(after) || Array.isArray(before) !== Array.isArray(after)) {
    return [`${path}: ${after === undefined ? '' : JSON.stringify(after)}`]
  }
  const [old, now] = [entries(before), entries(after)]
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key) =>
    differing(old.get(key), now.get(key), path === '' ? key : `${path}.${key}`),
  )
}

const entries = (tree: object): Map<string, unknown> =>
  Array.isArray(tree)
    ? new Map(tree.map((item, index) => [named(item) ?? String(index), item]))
    : new Map(Object.entries(tree))

/** Arguments are identified by their flag, containers and ports by their name. */
const named = (item: unknown): string | undefined =>
  typeof item === 'string' ? /^--[a-z-]+/.exec(item)?.[0] : (item as { name?: string } | null)?.name

const isTree = (value: unknown): value is object => typeof value === 'object' && value !== null
