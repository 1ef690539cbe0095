import { lstat, readdir, stat } from 'node:fs/promises'
import { extname, join, relative, resolve } from 'node:path'
import type { Finding } from './finding.ts'

/** The files below some paths. */
export type Found = {
  /** Relative to the working directory for those below it, in the order of `paths`, then by name. */
  readonly files: readonly string[]
  /** Paths and folders that could not be read. */
  readonly findings: readonly Finding[]
}

const extensions = ['.yaml', '.yml', '.json']

/**
 * Finds manifest files: a path that is a file counts whatever its name, a folder is searched for YAML and JSON files. Hidden
 * files and folders, and links to folders, which may form a circle, are left out.
 */
export const findFiles = async (paths: readonly string[]): Promise<Found> => {
  const files = new Set<string>()
  const findings: Finding[] = []

  const visit = async (path: string, isRoot: boolean): Promise<void> => {
    const file = shown(path)
    try {
      const found = await stat(path)
      if (found.isDirectory()) {
        if (!isRoot && (await lstat(path)).isSymbolicLink()) return
        const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort()
        for (const name of names) await visit(join(path, name), false)
      } else if (isRoot || (found.isFile() && extensions.includes(extname(path).toLowerCase()))) {
        files.add(file)
      }
    } catch (error) {
      const vanished = (error as NodeJS.ErrnoException).code === 'ENOENT' && !isRoot
      if (!vanished) findings.push({ file, problem: { field: '', message: unreadable(error) } })
    }
  }

  for (const path of paths) await visit(path, true)
  return { files: [...files], findings }
}

/** Why a file or folder cannot be read. */
export const unreadable = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read: permission denied'
  return `cannot be read: ${message}`
}

/** A path as findings name it. */
export const shown = (path: string): string => {
  const short = relative('.', path)
  return short === '' ? '.' : short.startsWith('..') ? resolve(path) : short
}
