import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { discard } from '../api/kinds/discard.ts'
import { jobKinds, kinds } from '../api/kinds/kinds.ts'
import { crd } from '../api/published/crd.ts'
import { reference } from '../api/published/reference.ts'
import { group } from '../api/resource.ts'

const root = join(import.meta.dirname, '../..')

const note = 'Generated from src/api by npm run generate'

/** The names of all kinds, as the chart's roles list them. */
const chartResources = (): string => {
  const plurals = kinds.map(({ plural }) => plural).sort()
  const jobs: readonly string[] = jobKinds.map(({ plural }) => plural).sort()
  const statuses = (names: readonly string[]) => names.map((plural) => `${plural}/status`)
  const define = (name: string, names: readonly string[]): string =>
    `{{- define "waybill.${name}" -}}\n[${names.join(', ')}]\n{{- end -}}\n`
  return [
    `{{/* ${note}: all resources of ${group}; those that the role edit may change; the statuses of those that declare something, and of those that act. */}}\n`,
    define('resources', plurals),
    define(
      'editable',
      plurals.filter((plural) => plural !== discard.plural),
    ),
    define('statuses', statuses(plurals.filter((plural) => !jobs.includes(plural)))),
    define('jobStatuses', statuses(jobs)),
  ].join('\n')
}

const argo = 'examples/gitops/argocd'

/** One script for all kinds, under the key of each: a key of a ConfigMap cannot have a wildcard. */
const argoPatch = (): string => {
  const script = readFileSync(join(root, argo, 'health.lua'), 'utf8')
  const data = Object.fromEntries(
    kinds.map(({ kind }) => [`resource.customizations.health.${group}_${kind}`, script] as const),
  )
  return `# ${note} from health.lua. A patch of Argo CD's ConfigMap argocd-cm.\n${stringify({ data }, { lineWidth: 0, aliasDuplicateObjects: false })}`
}

/** What is generated, by path. Helm reads files of the chart's own folder only; what is in its `crds` it would never upgrade. */
export const generated = (): ReadonlyMap<string, string> => {
  const crds = kinds.map((kind) => ({
    file: `${kind.plural}.yaml`,
    text: `# ${note}.\n---\n${stringify(crd(kind), { aliasDuplicateObjects: false, lineWidth: 120 })}`,
  }))
  return new Map([
    ...['crds', 'charts/waybill/definitions'].flatMap((folder) =>
      crds.map(({ file, text }): [string, string] => [`${folder}/${file}`, text]),
    ),
    ['crds/README.md', reference(kinds)],
    ['charts/waybill/templates/_resources.tpl', chartResources()],
    [`${argo}/argocd-cm.yaml`, argoPatch()],
  ])
}

/** Paths of the files that are missing or differ. */
export const stale = async (): Promise<readonly string[]> => {
  const differing = await Promise.all(
    [...generated()].map(async ([path, text]) => {
      const found = await readFile(join(root, path), 'utf8').catch(() => undefined)
      return found === text ? [] : [path]
    }),
  )
  return differing.flat()
}

const write = async (): Promise<void> => {
  for (const [path, text] of generated()) {
    await mkdir(join(root, dirname(path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const paths = await stale()
    for (const path of paths) console.error(`${path} differs from src/api: run npm run generate`)
    process.exitCode = paths.length > 0 ? 1 : 0
  } else await write()
}
