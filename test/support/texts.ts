import { globSync, readFileSync } from 'node:fs'
import { parse } from '@babel/parser'
import { childrenOf, type Node, options } from './functions.ts'

/** One line of text and the place where it stands, `file:line`. */
export type Line = { readonly place: string; readonly text: string }

/** All lines of the files that match one of the patterns; patterns that match nothing are allowed. */
export const linesOf = (...patterns: readonly string[]): readonly Line[] =>
  patterns
    .flatMap((pattern) => globSync(pattern).sort())
    .flatMap((file) => numbered(file, 1, readFileSync(file, 'utf8')))

/** The lines of all string literals and templates of TypeScript files: what their program can print. */
export const stringsOf = (pattern: string): readonly Line[] =>
  globSync(pattern)
    .sort()
    .flatMap((file) => stringsIn(parse(readFileSync(file, 'utf8'), options).program, file))

const stringsIn = (node: Node, file: string): readonly Line[] => {
  const { type, loc, value } = node as Node & { value?: string | { cooked?: string } }
  const line = loc?.start.line ?? 0
  if (type === 'StringLiteral') return numbered(file, line, String(value))
  if (type === 'TemplateElement') return numbered(file, line, (value as { cooked?: string }).cooked ?? '')
  // Names of modules are not texts; those that hold old words fail as names of files.
  if (/^Import|^ExportAll/.test(type)) return []
  return childrenOf(node).flatMap((child) => stringsIn(child, file))
}

const numbered = (file: string, first: number, text: string): readonly Line[] =>
  text.split('\n').map((each, at) => ({ place: `${file}:${first + at}`, text: each }))
