import { globSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Query } from './panels.ts'

/** The queries by which the examples for KEDA scale. */
export const keda: readonly (Query & { readonly file: string })[] = globSync('examples/kubernetes/keda/*.yaml').flatMap(
  (file) => {
    const { triggers }: { triggers: { metadata: { query: string } }[] } = parse(readFileSync(file, 'utf8')).spec
    return triggers.map(({ metadata: { query } }) => ({ file, name: file, expression: query }))
  },
)
