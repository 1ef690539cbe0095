import { globSync, readFileSync } from 'node:fs'
import { type ParserOptions, parse } from '@babel/parser'

export type LongFunction = { readonly file: string; readonly name: string; readonly lines: number }

/** A node of the syntax tree. */
export type Node = { readonly type: string; readonly loc?: { start: { line: number }; end: { line: number } } | null }

/** How the TypeScript of this repository is parsed. */
export const options: ParserOptions = { sourceType: 'module', plugins: ['typescript'] }

/** The functions of the files under `pattern` that have more than `most` lines, those inside them counted in. */
export const longFunctions = (pattern: string, most: number): readonly LongFunction[] =>
  globSync(pattern)
    .sort()
    .flatMap((file) =>
      longIn(parse(readFileSync(file, 'utf8'), options).program, most, '').map((each) => ({ file, ...each })),
    )

const longIn = (node: Node, most: number, name: string): Omit<LongFunction, 'file'>[] => {
  const { start, end } = node.loc ?? { start: { line: 0 }, end: { line: 0 } }
  const lines = end.line - start.line + 1
  if (lines <= most) return []
  const own = /Function|Method/.test(node.type) ? [{ name: nameOf(node) || name || 'anonymous', lines }] : []
  const called = node.type === 'VariableDeclarator' || node.type.endsWith('Property') ? nameOf(node) : ''
  return [...own, ...childrenOf(node).flatMap((child) => longIn(child, most, called))]
}

/** The nodes right below a node of the syntax tree. */
export const childrenOf = (node: Node): Node[] => Object.values<unknown>(node).flat().filter(isNode)

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'loc' in value

const nameOf = (node: Node): string => {
  const { id, key } = node as { id?: { name?: string } | null; key?: { name?: string } }
  return id?.name ?? key?.name ?? ''
}
