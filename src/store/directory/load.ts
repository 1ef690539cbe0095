import { readFile } from 'node:fs/promises'
import { findFiles, unreadable } from './find-files.ts'
import { type Finding, placeText } from './finding.ts'
import { type Item, type Parsed, parse } from './parse.ts'

/** All manifests as the files have them now. */
export type Loaded = {
  readonly files: readonly string[]
  /** One for each id: the first in path order. */
  readonly items: readonly Item[]
  readonly findings: readonly Finding[]
  readonly skipped: readonly Finding[]
  /** Whether the file, or a folder above it, has a problem, so that what it defined before may still be meant. */
  readonly isUncertain: (file: string) => boolean
  /** Files and folders of which at least a part could not be read. */
  readonly unread: readonly string[]
}

/** Some files are parsed while others are read; reading all at once would take as many file handles as files. */
const readAtOnce = 32

/** Reads files and folders repeatedly; a file that has not changed is not parsed again. */
export const createLoader = (paths: readonly string[]) => {
  let known = new Map<string, { readonly text: string; readonly parsed: Parsed }>()

  const read = async (file: string): Promise<{ text: string; parsed: Parsed }> => {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
      const before = known.get(file)
      return before?.text === text ? before : { text, parsed: parse(file, text) }
    } catch (error) {
      const message = error instanceof TypeError ? 'is not UTF-8 text' : unreadable(error)
      const findings = [{ file, problem: { field: '', message } }]
      return { text: '', parsed: { items: [], findings, skipped: [], isWhole: false } }
    }
  }

  return {
    async load(): Promise<Loaded> {
      const found = await findFiles(paths)
      const fresh: typeof known = new Map()
      for (let at = 0; at < found.files.length; at += readAtOnce) {
        const files = found.files.slice(at, at + readAtOnce)
        const contents = await Promise.all(files.map(async (file) => [file, await read(file)] as const))
        for (const [file, content] of contents) fresh.set(file, content)
      }
      known = fresh
      const parsed = [...fresh.values()].map((file) => file.parsed)
      const { first, again } = unique(parsed.flatMap(({ items }) => items))
      const findings = [...found.findings, ...parsed.flatMap((file) => file.findings), ...again]
      const uncertain = new Set(findings.map(({ file }) => file))
      return {
        files: found.files,
        items: first,
        findings,
        unread: [
          ...found.findings.map(({ file }) => file),
          ...[...fresh].flatMap(([file, content]) => (content.parsed.isWhole ? [] : file)),
        ],
        skipped: parsed.flatMap(({ skipped }) => skipped),
        isUncertain: (file) =>
          [...uncertain].some((path) => path === '.' || file === path || file.startsWith(`${path}/`)),
      }
    },
  }
}

const unique = (items: readonly Item[]): { first: readonly Item[]; again: readonly Finding[] } => {
  const first = new Map<string, Item>()
  const again: Finding[] = []
  for (const item of items) {
    const earlier = first.get(item.id)
    if (earlier === undefined) first.set(item.id, item)
    else {
      const place = placeText({ file: earlier.file, line: earlier.lineOf('metadata.name') })
      const problem = {
        field: 'metadata.name',
        message: `is already defined in ${place}, which is used`,
      }
      again.push({ file: item.file, line: item.lineOf('metadata.name'), resource: item.id, problem })
    }
  }
  return { first: [...first.values()], again }
}
