import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** One import or re-export of a file: `typeOnly` where it leaves nothing at run time. */
export type Import = { readonly statement: string; readonly name: string; readonly typeOnly: boolean }

const imported = /(?:^(?:import|export)\s(type\s)?(?:[^'=]*?\sfrom\s)?|\bimport\(\s*)'([^']+)'/gm

export const importsOf = (source: string): readonly Import[] =>
  [...source.matchAll(imported)].map(([statement, type, name = '']) => ({ statement, name, typeOnly: !!type }))

/** What the files under `pattern` import of one another: paths by path. */
export const importGraph = (pattern: string): ReadonlyMap<string, readonly string[]> =>
  new Map(
    globSync(pattern)
      .sort()
      .map((file) => {
        const own = importsOf(readFileSync(file, 'utf8')).filter(({ name }) => name.startsWith('.'))
        return [file, own.map(({ name }) => join(dirname(file), name))]
      }),
  )

/** One path through each group of files that import each other, its first file repeated at the end. */
export const circlesIn = (graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] => {
  const circles: (readonly string[])[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file)
    if (at >= 0) circles.push([...path.slice(at), file])
    if (at >= 0 || done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return circles
}
