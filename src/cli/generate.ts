import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { crd } from '../api/crd.ts'
import { kinds } from '../api/kinds.ts'
import { reference } from '../api/reference.ts'

const folder = join(import.meta.dirname, '../../crds')

/** What `crds/` must hold, by file name. */
export const generated = (): ReadonlyMap<string, string> =>
  new Map([
    ...kinds.map((kind): [string, string] => [
      `${kind.plural}.yaml`,
      `# Generated from src/api by npm run generate.\n${stringify(crd(kind), { aliasDuplicateObjects: false, lineWidth: 120 })}`,
    ]),
    ['README.md', reference(kinds)],
  ])

/** Names of the files that are missing or differ. */
export const stale = async (): Promise<readonly string[]> => {
  const differing = await Promise.all(
    [...generated()].map(async ([name, text]) => {
      const found = await readFile(join(folder, name), 'utf8').catch(() => undefined)
      return found === text ? [] : [name]
    }),
  )
  return differing.flat()
}

const write = async (): Promise<void> => {
  await mkdir(folder, { recursive: true })
  for (const [name, text] of generated()) await writeFile(join(folder, name), text)
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const names = await stale()
    for (const name of names) console.error(`crds/${name} differs from src/api: run npm run generate`)
    process.exitCode = names.length > 0 ? 1 : 0
  } else await write()
}
